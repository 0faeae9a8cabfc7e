"""What DestinationRules and timeouts are for, in real Envoys: slow, failing, far and overloaded endpoints."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from e2e.mesh.processes import wait_for
from e2e.stage import echo
from e2e.town import Town, opened
from meshext.sandbox.client import Answer

pytestmark = pytest.mark.envoy

REFUSED = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
SERVED = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
ALLOWED = 3  # failures until an endpoint is left out

MESH = """
apiVersion: v1
kind: Service
metadata: {name: slow, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: slow, namespace: shop}
spec:
  hosts: [slow]
  http:
    - match: [{uri: {prefix: /delay/}}]
      timeout: 0.3s
      route: [{destination: {host: slow}}]
    - match: [{uri: {prefix: /each/}}]
      rewrite: {uri: /delay/}
      retries: {attempts: 1, perTryTimeout: 0.2s, retryOn: 5xx}
      route: [{destination: {host: slow}}]
    - route: [{destination: {host: slow}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: half, namespace: shop}
spec:
  hosts: [half.example.com]
  ports: [{number: 80, protocol: HTTP, name: http}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: GOOD}}, {address: 127.0.0.1, ports: {http: BAD}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: half, namespace: shop}
spec:
  host: half.example.com
  trafficPolicy:
    outlierDetection:
      {consecutive5xxErrors: 3, interval: 0.1s, baseEjectionTime: 300s, maxEjectionPercent: 100}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: patient, namespace: shop}
spec:
  hosts: [patient.example.com]
  ports: [{number: 80, protocol: HTTP, name: http}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: BAD}}]
---
apiVersion: v1
kind: Service
metadata: {name: near, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: near, namespace: shop}
spec: {host: near, trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}}
---
apiVersion: v1
kind: Service
metadata: {name: anywhere, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: fails-over, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8090}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: fails-over, namespace: shop}
spec:
  host: fails-over
  trafficPolicy:
    outlierDetection:
      {consecutive5xxErrors: 3, interval: 0.1s, baseEjectionTime: 300s, maxEjectionPercent: 100}
---
apiVersion: v1
kind: Service
metadata: {name: narrow, namespace: shop}
spec: {selector: {app: web, place: far}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: narrow, namespace: shop}
spec:
  host: narrow
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 1}, http: {http1MaxPendingRequests: 1}}
---
kind: Workload
name: client
namespace: shop
address: 127.62.0.1
locality: europe/a
---
kind: Workload
name: web-1
namespace: shop
address: 127.62.0.2
locality: europe/a
labels: {app: web, place: near}
ports:
  - {number: 8080, application: "unix:FOLDER/web-1.sock"}
  - {number: 8090, application: "unix:FOLDER/nobody.sock"}
---
kind: Workload
name: web-2
namespace: shop
address: 127.62.0.3
locality: europe/b
labels: {app: web, place: far}
ports:
  - {number: 8080, application: "unix:FOLDER/web-2.sock"}
  - {number: 8090, application: "unix:FOLDER/web-2.sock"}
"""


class Canned:
    """A server that says one thing to every request, and counts them."""

    def __init__(self, answer: bytes) -> None:
        self.asked = 0
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self._server.accept()
                with link, suppress(OSError):
                    if link.recv(65536):
                        self.asked += 1
                        link.sendall(self._answer)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Canned, Canned]]:
    """One that serves and one that fails."""
    found = Canned(SERVED), Canned(REFUSED)
    yield found
    for each in found:
        each.close()


@pytest.fixture(scope="module")
def town(servers: tuple[Canned, Canned]) -> Iterator[Town]:
    good, bad = servers
    with opened(MESH.replace("GOOD", str(good.port)).replace("BAD", str(bad.port))) as found:
        yield found


def callees(town: Town, host: str, count: int = 20) -> Counter[str]:
    """Who answers, by name; a status where it is not 200."""
    answers = [town.call(f"http://{host}/") for _ in range(count)]
    return Counter(echo(each)["upstream"] if each.status == 200 else str(each.status) for each in answers)


def test_a_timeout_ends_a_slow_request_and_no_other(town: Town) -> None:
    assert town.call("http://slow/delay/20000").status == 504
    assert town.call("http://slow/delay/0").status == 200


def test_each_try_has_its_own_time(town: Town) -> None:
    answer = town.call("http://slow/each/20000")
    assert answer.status == 504
    assert answer.text == "upstream request timeout"
    assert town.call("http://slow/each/0").status == 200


def test_an_endpoint_that_fails_is_left_out(town: Town, servers: tuple[Canned, Canned]) -> None:
    _, bad = servers

    def served() -> bool:
        return {town.call("http://half.example.com/").status for _ in range(10)} == {200}

    wait_for("the endpoint left out", lambda: served() and bad.asked >= ALLOWED)
    asked = bad.asked
    assert {town.call("http://half.example.com/").status for _ in range(40)} == {200}
    assert bad.asked == asked


def test_without_outlier_detection_it_stays_in(town: Town, servers: tuple[Canned, Canned]) -> None:
    _, bad = servers
    before = bad.asked
    assert {town.call("http://patient.example.com/").status for _ in range(10)} == {503}
    assert bad.asked == before + 10


def test_the_nearest_endpoint_is_preferred_only_where_failures_are_noticed(town: Town) -> None:
    assert set(callees(town, "near")) == {"web-1"}
    assert set(callees(town, "anywhere")) == {"web-1", "web-2"}


def test_a_zone_that_fails_is_left_for_the_next(town: Town) -> None:
    first = callees(town, "fails-over", ALLOWED)
    assert first == {"503": ALLOWED}
    # Envoy's main thread leaves an endpoint out and tells the workers after that.
    wait_for("the next zone", lambda: callees(town, "fails-over", 1) == {"web-2": 1})
    assert callees(town, "fails-over") == {"web-2": 20}


def test_what_a_pool_has_no_room_for_is_refused_at_once(town: Town) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers: list[Answer] = list(pool.map(lambda _: town.call("http://narrow/delay/3000"), range(5)))
    statuses = Counter(each.status for each in answers)
    assert statuses == {200: 2, 503: 3}
    refused = [each for each in answers if each.status == 503]
    assert {each.header("x-envoy-overloaded") for each in refused} == {"true"}
    assert town.call("http://narrow/").status == 200
