from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.envoy import echo as echo_module
from meshext.envoy.echo import EchoServer
from meshext.envoy.echo_answer import MAX_BODY, to_echo
from meshext.envoy.process import EnvoyProcess
from meshext.errors import ListenError


class Client:
    """A connection that sends raw bytes and reads answers with h11."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.trailers: list[tuple[bytes, bytes]] = []

    async def ask(self, raw: bytes, *, method: str = "GET") -> tuple[h11.Response, bytes]:
        self.writer.write(raw)
        return await self.read(method)

    async def read(self, method: str = "GET") -> tuple[h11.Response, bytes]:
        http = h11.Connection(h11.CLIENT)
        http.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
        http.send(h11.EndOfMessage())
        response, body = None, b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await self.reader.read(65_536))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert response is not None
                self.trailers = list(event.headers)
                return response, body


def talk(use: Callable[[Client], Awaitable[None]], *, name: str = "shop") -> None:
    async def run() -> None:
        async with EchoServer(name) as server:
            host, _, port = (await server.start()).rpartition(":")
            client = Client(*await asyncio.open_connection(host, int(port)))
            async with asyncio.timeout(60):
                await use(client)
            client.writer.close()

    asyncio.run(run())


def ask(raw: bytes, *, method: str = "GET") -> tuple[int, dict[bytes, bytes], bytes]:
    """The status, headers and body of one answer."""
    answers: list[tuple[h11.Response, bytes]] = []

    async def use(client: Client) -> None:
        answers.append(await client.ask(raw, method=method))

    talk(use)
    response, body = answers[0]
    return response.status_code, dict(response.headers), body


def echo(raw: bytes) -> dict[str, Any]:
    status, headers, body = ask(raw)
    assert (status, headers[b"content-type"]) == (200, b"application/json")
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_the_whole_answer() -> None:
    raw = (
        b"POST //a/%2e%2e/b;x?q=%20?&r HTTP/1.1\r\nHost: Shop.\r\nX-A: 1\r\n"
        b"x-a:  \xff\xc3\xa9 \r\nContent-Length: 3\r\n\r\n\xc3\xa9!"
    )
    assert echo(raw) == {
        "upstream": "shop",
        "method": "POST",
        "target": "//a/%2e%2e/b;x?q=%20?&r",
        "path": "//a/%2e%2e/b;x",
        "query": "q=%20?&r",
        "host": "Shop.",
        "headers": [["Host", "Shop."], ["X-A", "1"], ["x-a", "\xff\xc3\xa9"], ["Content-Length", "3"]],
        "body": "é!",
        "trailers": [],
    }


def test_a_chunked_body_with_trailers() -> None:
    answer = echo(
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 5\r\nx-sum: \xff\r\n\r\n"
    )
    assert answer["body"] == "abcde"
    assert answer["trailers"] == [["X-Sum", "5"], ["x-sum", "\xff"]]


@given(body=st.binary(max_size=40))
def test_any_body_survives(body: bytes) -> None:
    name = to_echo("e", h11.Request(method="GET", target="/", headers=[("host", "a")]), body, [])
    text = json.loads(json.dumps(name))
    seen = base64.b64decode(text["body"]) if text.get("body_base64") else text["body"].encode()
    assert seen == body


@given(value=st.binary(max_size=20).filter(lambda value: not set(value) & set(b"\0\t\n\v\f\r ")))
def test_any_header_value_survives(value: bytes) -> None:
    request = h11.Request(method="GET", target="/", headers=[(b"host", b"a"), (b"X-v", value)])
    text = json.loads(json.dumps(to_echo("e", request, b"", [])))
    assert [(name, seen.encode("latin-1")) for name, seen in text["headers"][1:]] == [("X-v", value)]


@pytest.mark.parametrize("code", [200, 201, 204, 205, 302, 304, 404, 503, 599])
def test_a_status(code: int) -> None:
    status, _, body = ask(f"GET /status/{code} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    assert status == code
    assert (body == b"") == (code in (204, 205, 304))


@pytest.mark.parametrize(
    "path",
    [
        "/status/199",
        "/status/600",
        "/status/x",
        "/status/503/",
        "//status/503",
        "/bytes/67108865",
        "/delay/60001",
    ],
)
def test_what_looks_otherwise_is_echoed(path: str) -> None:
    assert echo(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())["path"] == path


def test_bytes() -> None:
    status, headers, body = ask(b"GET /bytes/200000 HTTP/1.1\r\nhost: a\r\n\r\n")
    assert (status, headers[b"content-length"], body) == (200, b"200000", b"x" * 200_000)


def test_a_delay_is_at_least_that_long() -> None:
    async def use(client: Client) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await client.ask(b"GET /delay/50 HTTP/1.1\r\nhost: a\r\n\r\n")
        assert loop.time() - start >= 0.049

    talk(use)


def test_headers_keep_order_and_repetitions() -> None:
    async def use(client: Client) -> None:
        response, body = await client.ask(
            b"GET /headers?x-a=1&set-cookie=a%3D1&X-A=%FF%20b&set-cookie=b&content-type=text/x&e="
            b" HTTP/1.1\r\nhost: a\r\n\r\n"
        )
        assert list(response.headers)[:-1] == [
            (b"x-a", b"1"),
            (b"set-cookie", b"a=1"),
            (b"x-a", b"\xff b"),
            (b"set-cookie", b"b"),
            (b"content-type", b"text/x"),
            (b"e", b""),
        ]
        assert json.loads(body)["path"] == "/headers"

    talk(use)


@pytest.mark.parametrize(
    "query", ["a%0d%0ab=1", "a=1%0d%0aX-Forged:%201", "a=%00", "=1", "Content-Length=1", "x y=1"]
)
def test_headers_that_are_not_legal(query: str) -> None:
    status, headers, body = ask(
        f"GET /headers?{query.replace(' ', '%20')} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    )
    assert status == 400
    assert set(headers) <= {b"content-type", b"content-length", b"connection"}
    assert "error" in json.loads(body)


@pytest.mark.parametrize(
    ("query", "trailers"),
    [("", [(b"x-echo-trailer", b"end")]), ("?a=1&b=2&a=3", [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])],
)
def test_trailers(query: str, trailers: list[tuple[bytes, bytes]]) -> None:
    async def use(client: Client) -> None:
        _, body = await client.ask(f"GET /trailers{query} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        assert json.loads(body)["path"] == "/trailers"
        assert client.trailers == trailers

    talk(use)


def test_trailers_where_there_can_be_none() -> None:
    assert ask(b"HEAD /trailers HTTP/1.1\r\nhost: a\r\n\r\n", method="HEAD")[0] == 200
    assert json.loads(ask(b"GET /trailers HTTP/1.0\r\n\r\n")[2])["path"] == "/trailers"


@pytest.mark.parametrize("path", ["/", "/bytes/10", "/status/404", "/status/204"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    async def use(client: Client) -> None:
        head, body = await client.ask(f"HEAD {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode(), method="HEAD")
        assert body == b""
        get, _ = await client.ask(f"PUT {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        assert [name for name, _ in head.headers] == [name for name, _ in get.headers]
        assert head.status_code == get.status_code

    talk(use)


def test_requests_sent_ahead_are_answered_in_order() -> None:
    async def use(client: Client) -> None:
        client.writer.write(
            b"".join(b"GET /bytes/%d HTTP/1.1\r\nhost: a\r\n\r\n" % size for size in range(3))
        )
        buffered = b""
        while buffered.count(b"HTTP/1.1 200") < 3 or not buffered.endswith(b"\r\n\r\nxx"):
            buffered += await client.reader.read(65_536)
        assert re.findall(rb"content-length: (\d)", buffered, re.IGNORECASE) == [b"0", b"1", b"2"]

    talk(use)


def test_continue_is_sent_when_waited_for() -> None:
    async def use(client: Client) -> None:
        client.writer.write(
            b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
        )
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 \r\n\r\n"
        _, body = await client.ask(b"ok")
        assert json.loads(body)["body"] == "ok"

    talk(use)


LENGTH = MAX_BODY + 1


@pytest.mark.parametrize("expect", ["", "expect: 100-continue\r\n"])
def test_a_body_that_says_it_is_too_long(expect: str) -> None:
    raw = f"POST / HTTP/1.1\r\nhost: a\r\n{expect}content-length: {LENGTH}\r\n\r\n"
    status, headers, _ = ask(raw.encode())
    assert (status, headers[b"connection"]) == (413, b"close")


def test_a_body_that_turns_out_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo_module, "MAX_BODY", 10)
    head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    assert ask(head + b"a\r\n0123456789\r\n0\r\n\r\n")[0] == 200
    assert ask(head + b"b\r\n0123456789a\r\n0\r\n\r\n")[0] == 413


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx y: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_garbage_is_answered_400_and_closed(raw: bytes) -> None:
    async def use(client: Client) -> None:
        response, _ = await client.ask(raw)
        assert response.status_code == 400
        assert await client.reader.read() == b""

    talk(use)


def test_endless_headers_are_refused() -> None:
    assert ask(b"GET / HTTP/1.1\r\nx: " + b"a" * 1_100_000)[0] == 431


def test_connect_is_refused() -> None:
    assert ask(b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n")[0] == 405


def test_many_connections_at_once() -> None:
    async def run() -> None:
        async with EchoServer() as server:
            host, _, port = (await server.start()).rpartition(":")
            clients = [Client(*await asyncio.open_connection(host, int(port))) for _ in range(200)]
            request = "GET /{} HTTP/1.1\r\nhost: a\r\n\r\n"
            asked = [client.ask(request.format(n).encode()) for n, client in enumerate(clients)]
            paths = [json.loads(body)["path"] for _, body in await asyncio.gather(*asked)]
            assert paths == [f"/{n}" for n in range(200)]
            await server.close()
            assert await clients[0].reader.read() == b""
            for client in clients:
                client.writer.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("listen", "error"),
    [
        ("nonsense", r"^'nonsense' is not an address: write HOST:PORT, \[IPV6\]:PORT or unix:PATH$"),
        ("127.0.0.1:x", "is not an address"),
        ("127.0.0.1:65536", "is not an address"),
        ("192.0.2.1:80", r"^can not listen on 192\.0\.2\.1:80: \w"),
        (
            "unix:/no/such/directory/s",
            "^can not listen on unix:/no/such/directory/s: No such file or directory$",
        ),
        ("unix:/etc/passwd", "is in the way: it is no socket"),
    ],
)
def test_addresses_that_can_not_be_listened_on(listen: str, error: str) -> None:
    with pytest.raises(ListenError, match=error):
        asyncio.run(EchoServer().start(listen))


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(
            ListenError, match=f"^can not listen on {re.escape(address)}: Address already in use$"
        ):
            asyncio.run(EchoServer().start(address))


def test_a_socket_file_is_taken_only_if_nobody_listens(short_dir: Path) -> None:
    path = short_dir / "echo.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async def run() -> None:
        async with EchoServer() as server:
            assert await server.start(f"unix:{path}") == f"unix:{path}"
            with pytest.raises(ListenError, match="somebody does already"):
                await EchoServer().start(f"unix:{path}")
        assert not path.exists()

    asyncio.run(run())


def test_as_a_program(short_dir: Path) -> None:
    path = short_dir / "echo.sock"
    command = [sys.executable, "-m", "meshext.envoy.echo", "--listen", f"unix:{path}", "--name", "one"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == f"ready unix:{path}\n"

        async def use() -> bytes:
            client = Client(*await asyncio.open_unix_connection(path))
            _, body = await client.ask(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            client.writer.close()
            return body

        assert json.loads(asyncio.run(use()))["upstream"] == "one"
        program.send_signal(signal.SIGTERM)
    assert (program.returncode, path.exists()) == (0, False)


def test_a_program_that_can_not_listen_says_so_in_one_line() -> None:
    command = [sys.executable, "-m", "meshext.envoy.echo", "--listen", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.mark.envoy
def test_behind_envoy(envoy: Path, short_dir: Path, bootstrap: Callable[..., str]) -> None:
    """What Envoy passes on arrives unchanged, trailers both ways included."""
    options = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    trailers = {"http_protocol_options": {"enable_trailers": True}}
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(short_dir / "echo.sock")}}}}
    cluster = {
        "name": "echo",
        "load_assignment": {"cluster_name": "echo", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": options,
                "explicit_http_config": trailers,
            }
        },
    }
    resources = json.loads(bootstrap())["static_resources"]
    manager = resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager |= trailers
    manager["route_config"]["virtual_hosts"][0]["routes"] = [
        {"match": {"prefix": "/"}, "route": {"cluster": "echo"}}
    ]
    text = json.dumps({"static_resources": resources | {"clusters": [cluster]}})

    async def run() -> None:
        async with EchoServer("up") as server:
            await server.start(f"unix:{short_dir}/echo.sock")
            async with await EnvoyProcess.start(text, short_dir / "envoy", concurrency=1) as started:
                client = Client(*await asyncio.open_connection("127.0.0.1", started.port("main")))
                _, body = await client.ask(
                    b"POST /trailers?x-t=%2e HTTP/1.1\r\nhost: A.:80\r\nte: trailers\r\nx-v: \xff\r\n"
                    b"x-v: b\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-sent: 1\r\n\r\n"
                )
                answer = json.loads(body)
                assert (answer["target"], answer["host"]) == ("/trailers?x-t=%2e", "A.:80")
                assert [line for line in answer["headers"] if line[0] == "x-v"] == [
                    ["x-v", "\xff"],
                    ["x-v", "b"],
                ]
                assert (answer["body"], answer["trailers"]) == ("a", [["x-sent", "1"]])
                assert client.trailers == [(b"x-t", b".")]
                client.writer.close()

    asyncio.run(run())
