"""The README's code and commands do what it says."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meshext.cli.verbs import find_plugin_verbs
from meshext.plugins import load_filter
from meshext.testing import Harness

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line, comments=True)[1:] for line in re.findall(r"^meshext .*$", README, flags=re.MULTILINE)
]
ENDS_BY_ITSELF = [command for command in COMMANDS if command[0] in ("config", "check", "new")]
SERVES = [command for command in COMMANDS if command[0] in ("run", "serve")]
ANY_PORT = "127.0.0.1:0"


def meshext(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "meshext", *command]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the README's files."""
    for name, code in re.findall(r"<!-- (\S+) -->\n```(?:python|yaml)\n(.*?)```", README, flags=re.DOTALL):
        (tmp_path / name).write_text(code, encoding="utf-8")
    return tmp_path


def test_hello_world_is_short(folder: Path) -> None:
    lines = [line for line in (folder / "hello.py").read_text().splitlines() if line.strip()]
    assert len(lines) < 10


def test_the_test_passes(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_hello.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("name", ["hello.py", "quota.py"])
def test_every_filter_is_one(name: str, folder: Path) -> None:
    done = meshext(folder, "check", name)
    assert done.returncode == 0, done.stderr


def test_the_quota_is_kept(folder: Path) -> None:
    harness = Harness(load_filter(f"{folder}/quota.py:Quota"), {"per_minute": 2}, now=0.0)
    outcomes = [harness.request(headers={"x-caller": "ann"}) for _ in range(3)]
    assert [outcome.status for outcome in outcomes] == [200, 200, 429]
    assert outcomes[0].headers["x-remaining"] == "1"
    assert outcomes[2].headers["retry-after"] == "30"
    assert harness.value("quota_refused_total", caller="ann") == 1


def test_the_two_commands_are_the_ones_that_are_promised() -> None:
    commands = re.findall(r"^python3 -m pip install uv && python3 -m (.*)$", README, flags=re.MULTILINE)
    assert commands == [
        "uv run --all-extras meshext run filters/examples/01_hello/filter.py:Hello --try",
        "uv run --all-extras pytest",
    ]


def test_every_verb_is_shown() -> None:
    verbs = {"run", "config", "check", "explain", "serve", "filters", "new", "replay", "demo", "up"}
    assert {command[0] for command in COMMANDS} == verbs


def test_every_verb_of_the_control_plane_is_named() -> None:
    assert [
        verb for verb in find_plugin_verbs() if f"`{verb}`" not in README and f"{verb} " not in README
    ] == []


def test_a_refusal_is_explained(folder: Path) -> None:
    (command,) = [command for command in COMMANDS if command[0] == "explain"]
    done = meshext(folder, *command)
    assert (done.returncode, done.stderr) == (1, "")
    assert 'shop/orders rule 0: methods GET, saw "POST"' in done.stdout


@pytest.mark.parametrize("command", ENDS_BY_ITSELF, ids=" ".join)
def test_a_command_ends_well(command: list[str], folder: Path) -> None:
    done = meshext(folder, *command)
    assert done.returncode == 0, done.stderr


@pytest.mark.envoy
def test_a_recording_is_replayed(folder: Path) -> None:
    (replay,) = [command for command in COMMANDS if command[0] == "replay"]
    recorded = meshext(folder, "run", *replay[1:2], "--try", "--record", replay[2])
    assert recorded.returncode == 0, recorded.stderr
    done = meshext(folder, *replay)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.envoy
@pytest.mark.parametrize("command", SERVES, ids=" ".join)
def test_a_service_serves_until_it_is_stopped(command: list[str], folder: Path) -> None:
    # The README's port may be taken on this machine; everything else is as it says.
    command = [ANY_PORT if word.startswith("127.0.0.1:") else word for word in command]
    process = subprocess.Popen(
        [sys.executable, "-m", "meshext", *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert first.startswith(("ready http://127.0.0.1:", "serving 127.0.0.1:")), errors
    assert process.returncode == 0, errors
