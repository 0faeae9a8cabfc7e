"""Filters in tests: no sockets, no Envoy, the same engine as in the services.

from meshext.testing import Harness

def test_a_known_user_is_sent_to_v2() -> None:
    harness = Harness(ABRouting, {"split": {"v2": 100}})
    outcome = harness.request(headers={"x-user-id": "7"})
    assert outcome.upstream is not None
    assert outcome.upstream.headers["x-version"] == "v2"
    assert harness.value("ab_assigned_total", version="v2") == 1
"""

from meshext.http.peer import Peer
from meshext.testing.harness import Harness
from meshext.testing.outcome import Log, Outcome, Reply, Step, UpstreamRequest

__all__ = ["Harness", "Log", "Outcome", "Peer", "Reply", "Step", "UpstreamRequest"]
