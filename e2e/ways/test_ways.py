"""Every row at every kind of listener in every runtime: none may let anything through.

A request was let through if the upstream received one that the policy, read on what it received, denies. The
table is printed at the end of the run; `MESHEXT_WAYS_TABLE=FILE` keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import pytest

from e2e.attacks import Attack, http1, http2
from e2e.raw import Seen
from e2e.test_bypass import FORGED, request_bytes
from e2e.ways.gateways import open_gateway
from e2e.ways.ground import HEAVY, LENIENT, Ground, Outcome
from e2e.ways.ledger import Ledger, cells
from e2e.ways.networks import missing_programs, why_none
from e2e.ways.policy import let_through
from e2e.ways.rows import ASKED, KINDS, NOT, ROWS, why_not
from e2e.ways.scene import Scene, opened_scene
from e2e.ways.sidecars import open_sidecar
from e2e.ways.transparent import open_registry, open_transparent
from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.reading import read_text
from tests.plugin import missing

TIME_LIMIT = 600  # seconds for a batch on a busy machine
pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(TIME_LIMIT)]

ROOT = Path(__file__).parents[2]
Opening = Callable[[Scene, ExitStack, str], dict[str, Ground]]
OPENINGS: dict[str, tuple[Opening, tuple[str, ...]]] = {
    "gateway": (open_gateway, ASKED),
    "sidecar": (open_sidecar, ASKED),
    "transparent": (open_transparent, ASKED),
    "registry": (open_registry, ("authz", "proc")),
}
"""How the listeners of one proxy are opened, and in which runtimes."""

PLACES = [(name, runtime) for name, (_, runtimes) in OPENINGS.items() for runtime in runtimes]
BATCHES = [
    tuple(row for row in ROWS if row not in (*LENIENT, *chain(*HEAVY))),
    LENIENT,
    *HEAVY,
]
CLAIMED = [name for name in FORGED if name.startswith(("x-forwarded-", "x-envoy-", "x-meshext-"))]


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with opened_scene() as made:
        yield made


@pytest.fixture(scope="module", params=PLACES, ids=" ".join)
def place(request: pytest.FixtureRequest, scene: Scene, ways: Ledger) -> Iterator[dict[str, Ground]]:
    """The listeners of one proxy."""
    name, runtime = request.param
    if name in ("transparent", "registry") and (reason := why_none()):
        ways.skipped |= {each.name: reason for each in KINDS.values() if each.transparent}
        if programs := missing_programs():
            missing(programs, "apt-get install iproute2 iptables util-linux")
        pytest.skip(reason)
    with ExitStack() as stack:
        grounds = OPENINGS[name][0](scene, stack, runtime)
        yield grounds
        for ground in grounds.values():
            ground.close()


def test_what_is_allowed_passes(place: dict[str, Ground]) -> None:
    """The other half: none of the rows says anything if nothing passes."""
    for name, ground in place.items():

        def status(data: bytes, caller: str = "", ground: Ground = ground) -> int:
            return ground.attempt(Attack(0, "", data, caller=caller))

        passing = [http1("/x"), http1("/administrator"), http1("/x", "x-role: user")]
        denied = [http1("/admin"), http1("/x", "x-role: banned"), http1("/x", host="secret.test")]
        assert [status(each) for each in passing] == [200] * 3, name
        assert [status(each) for each in denied] == [403] * 3, name
        assert ground.attempt(Attack(0, "", http2(b"/x"))) == 200, name
        if "genuine" in ground.tokens:
            assert status(http1("/token/x", "authorization: Bearer {genuine}")) == 200, name
        if ground.contexts:
            assert status(http1("/mesh/x"), "web") == status(http1("/suffix/x"), "web") == 200, name
            assert status(http1("/dotted/x"), "dotted") == 200, name
        assert status(http1("/mesh/x")) == 403, name


@pytest.mark.parametrize(
    "rows", BATCHES, ids=lambda rows: "-".join(map(str, (rows[0], rows[-1])[: len(rows)]))
)
def test_nothing_is_let_through(place: dict[str, Ground], rows: tuple[int, ...], ways: Ledger) -> None:
    """Rows are tried together, at all listeners of a proxy at once."""

    def go(ground: Ground) -> dict[int, Outcome]:
        kind, runtime = ground.kind, ground.runtime
        wanted = [row for row in rows if why_not(row, kind, runtime) is None]
        return ground.go(wanted) if wanted else {}

    with ThreadPoolExecutor(len(place)) as pool:
        found = dict(zip(place, pool.map(go, place.values()), strict=True))
    through = []
    for name, outcomes in found.items():
        for row, outcome in outcomes.items():
            assert outcome.statuses, f"row {row}: nothing is tried at {name}"
            ways.outcomes[row, name, place[name].runtime] = outcome
            through += [f"row {row} at {name}: {each}" for each in outcome.through]
    assert not through, "\n".join(through)


@pytest.mark.parametrize("place", [("gateway", runtime) for runtime in ASKED], ids=" ".join, indirect=True)
@pytest.mark.parametrize("name", [*CLAIMED, "forwarded"])
def test_what_a_stranger_claims_does_not_come_through(place: dict[str, Ground], name: str) -> None:
    for ground in place.values():
        _, seen = ground.reached([Attack(0, name, request_bytes("/x", f"{name}: {FORGED[name]}"))])
        (each,) = seen
        assert FORGED[name].encode("latin-1") not in each.values(name)
        assert b"10.0.0.1" not in each.head
        _, seen = ground.reached([Attack(0, name, request_bytes("/internal/x", f"{name}: {FORGED[name]}"))])
        assert seen == []


@pytest.mark.xfail(strict=True, reason="Envoy 1.40 does not look at crit (RFC 7515 section 4.1.11)")
@pytest.mark.parametrize("place", [("gateway", "native")], ids=" ".join, indirect=True)
@pytest.mark.parametrize("name", ["crit", "unencoded"])
def test_a_token_that_must_be_understood_is_not_believed(place: dict[str, Ground], name: str) -> None:
    """It is its issuer's own all the same."""
    data = http1("/token/x", f"authorization: Bearer {{{name}}}")
    assert place["gateway http"].attempt(Attack(21, name, data)) == 401


def test_the_proxies_in_front_are_believed_and_nobody_before_them(scene: Scene) -> None:
    """With one trusted proxy the client is who that one names, the last entry but none."""
    with ExitStack() as stack:
        grounds = open_gateway(scene, stack, "native", trusted=1)
        for each in grounds.values():
            stack.callback(each.close)
        ground = grounds["gateway http"]

        def ask(*lines: str) -> int:
            return ground.attempt(Attack(0, "", http1("/internal/x", *lines)))

        assert ask("x-forwarded-for: 10.0.0.1") == 200
        assert ask("x-forwarded-for: 10.0.0.1, 192.0.2.1") == 403
        assert ask("x-forwarded-for: 192.0.2.1, 10.0.0.1") == 200
        assert ask("x-envoy-external-address: 10.0.0.1") == 403
        statuses, seen = ground.reached([Attack(0, "", http1("/x", "x-forwarded-host: a.test"))])
        assert (statuses, seen[0].values("x-forwarded-host")) == ([200], [b"a.test"])


@pytest.mark.parametrize(
    ("head", "denied"),
    [
        (b"GET /admin HTTP/1.1\r\nhost: a.test", True),
        (b"GET /x HTTP/1.1\r\nhost: a.test\r\nx-role: banned", True),
        (b"GET /x HTTP/1.1\r\nhost: secret.test:80", True),
        (b"GET /mesh/x HTTP/1.1\r\nhost: a.test", True),
        (b"GET /x HTTP/1.1\r\nhost: a.test", False),
    ],
)
def test_who_judges_sees_what_is_denied(head: bytes, denied: bool) -> None:
    assert let_through(Seen(head, b""), None) is denied


def test_runtime_wasm_is_refused() -> None:
    """What the table says of that column."""
    text = (
        '{"apiVersion": "meshext.dev/v1", "kind": "FilterPolicy", "metadata": {"name": "x"},'
        ' "spec": {"filter": "a.py:A", "runtime": "wasm"}}'
    )
    found = read_text(Origin("mesh.json", text))
    assert found.documents == ()
    assert [(each.path, each.hint) for each in found.problems] == [("spec.runtime", "write runtime: service")]


def test_no_cell_is_left_out(ways: Ledger) -> None:
    """Every row at every kind in every runtime was tried, or a rule says why not."""
    tried = {(kind, runtime) for _, kind, runtime in ways.outcomes}
    wanted = {
        (name, runtime) for name, kind in KINDS.items() for runtime in ASKED if kind.name not in ways.skipped
    }
    if not wanted - {("outbound", "native")} <= tried:
        pytest.skip("only a part of the table was tried")
    assert [cell for cell in cells() if ways.mark(cell) == "?"] == []


@pytest.mark.parametrize("place", sorted({why.elsewhere for why in NOT if why.elsewhere}))
def test_what_is_tried_elsewhere_is_there(place: str) -> None:
    assert (ROOT / place).exists()
