"""The runtimes, each started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from meshext.plan import Mode
from tests.conformance.background import Background
from tests.conformance.catalogue import CASES, ENVOY_CASES
from tests.conformance.compiled.module import SuiteModule, build_module
from tests.conformance.compiled.table import refusal
from tests.conformance.envoys_own import HANGS_UP
from tests.conformance.runtimes import Runtime
from tests.conformance.runtimes.authz_grpc import AuthzGrpc
from tests.conformance.runtimes.compiled_wasm import CompiledWasm
from tests.conformance.runtimes.envoy import RealEnvoy
from tests.conformance.runtimes.envoy_wasm import EnvoyWasm
from tests.conformance.runtimes.in_process import InProcess
from tests.conformance.runtimes.proc_grpc import ProcGrpc
from tests.conformance.test_conformance import fits_authz

COMPILED = (pytest.mark.slow, pytest.mark.timeout(600))  # the run-time library may have to be compiled first
REAL = [
    *(pytest.param(name, marks=pytest.mark.envoy) for name in ("envoy_proc", "envoy_authz")),
    pytest.param("envoy_wasm", marks=(pytest.mark.envoy, *COMPILED)),
]


EVERY = (*CASES, *ENVOY_CASES, HANGS_UP)


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


def start_envoy(mode: Mode, background: Background) -> Iterator[RealEnvoy]:
    cases = [case for case in EVERY if mode == "proc" or fits_authz(case)]
    with TemporaryDirectory(prefix="mx-") as folder:
        envoy = RealEnvoy(mode, cases, Path(folder), background)
        yield envoy
        envoy.close()


@pytest.fixture(scope="session")
def envoy_proc(background: Background) -> Iterator[RealEnvoy]:
    yield from start_envoy("proc", background)


@pytest.fixture(scope="session")
def envoy_authz(background: Background) -> Iterator[RealEnvoy]:
    yield from start_envoy("authz", background)


@pytest.fixture(scope="session")
def suite_module() -> SuiteModule:
    return build_module([case for case in EVERY if not refusal(case)])


@pytest.fixture(scope="session")
def envoy_wasm(suite_module: SuiteModule, background: Background) -> Iterator[EnvoyWasm]:
    cases = [case for case in EVERY if not refusal(case)]
    with TemporaryDirectory(prefix="mx-") as folder:
        envoy = EnvoyWasm(suite_module, cases, Path(folder), background)
        yield envoy
        envoy.close()


@pytest.fixture(scope="session")
def wasm(suite_module: SuiteModule) -> CompiledWasm:
    return CompiledWasm(suite_module)


@pytest.fixture(scope="session")
def in_process() -> InProcess:
    return InProcess()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mx-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def proc_grpc(folder: Path, background: Background) -> ProcGrpc:
    return ProcGrpc(folder, background)


@pytest.fixture(scope="session")
def authz_grpc(folder: Path, background: Background) -> AuthzGrpc:
    return AuthzGrpc(folder, background)


@pytest.fixture(scope="session", params=REAL)
def envoy(request: pytest.FixtureRequest) -> Runtime:
    found: Runtime = request.getfixturevalue(request.param)
    return found


@pytest.fixture(
    scope="session",
    params=[
        "in_process",
        "proc_grpc",
        "authz_grpc",
        pytest.param("wasm", marks=COMPILED),
        *REAL,
    ],
)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    found: Runtime = request.getfixturevalue(request.param)
    return found
