"""How commands end: exit codes, one clear line for each problem, and never a traceback nobody asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from meshext.cli.verbs import find_plugin_verbs
from meshext.plugins import GROUP

Run = Callable[..., Any]
FILTERS = Path(__file__).parent / "filters"

NO_ENVOY_EXTRA = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"envoy_data_plane", "betterproto2"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
"""

INSTALLED = f"the installed ones are {', '.join(sorted(point.name for point in entry_points(group=GROUP)))}"

HEAVY = {"grpc", "meshext_proto", "envoy_data_plane", "cryptography", "yaml", "rich", "pydantic"}

REFUSED = {
    "unknown verb": (["chek"], ["'chek' is not a verb; did you mean 'check'?", "try 'meshext --help'"]),
    "no such verb at all": (
        ["xyzzy"],
        [
            "'xyzzy' is not a verb; the verbs are new, run, check, filters, serve, replay, config, explain, "
            f"profile, {', '.join(sorted(find_plugin_verbs()))}",
            "try 'meshext --help'",
        ],
    ),
    "unknown option": (["--colour"], ["no such option: --colour", "try 'meshext --help'"]),
    "unknown option of a verb": (
        ["check", "policies.py:Hello", "--colour"],
        ["no such option: --colour", "try 'meshext check --help'"],
    ),
    "nothing to serve": (["serve"], ["missing argument 'SPEC...'", "try 'meshext serve --help'"]),
    "no such file": (
        ["check", "nowhere.py:Hello"],
        ["'nowhere.py' is not a file; write path/to/file.py:Class"],
    ),
    "no such class": (
        ["config", "policies.py:Nope"],
        [
            "'policies.py:Nope': there is no 'Nope' "
            "(filters there: Hello, Everything, Streams, Passes, Late, Raw, NoHooks)"
        ],
    ),
    "no such plugin": (
        ["check", "nope"],
        [f"'nope' is not a filter's name ({INSTALLED}); a file is written path/to/file.py:Class"],
    ),
    "no hooks": (
        ["check", "policies.py:NoHooks"],
        ["NoHooks has no hooks; write one, such as: def on_request(self, request): ..."],
    ),
    "bad configuration, every mistake": (
        ["config", "policies.py:Everything", "--config", '{"header": 3, "rules": 1}'],
        [
            '--config: header: expected a string, got 3; put it in quotes: "3"',
            '--config: rules: expected a list, got 1; write for example [{"path": "text"}]',
        ],
    ),
    "no configuration": (
        ["config", "policies.py:Late"],
        ["""configuration: field limit has no default; give --config FILE or --config '{"limit": 10}'"""],
    ),
    "no such configuration": (
        ["check", "policies.py:Hello", "--config", "nowhere.yaml"],
        ["nowhere.yaml: no such file"],
    ),
    "a mode that can not": (
        ["config", "policies.py:Late", "--config", '{"limit": 1}', "--mode", "authz"],
        ["late: ext_authz has no on_response_body; use --mode proc, or leave the hook out"],
    ),
    "no mode": (
        ["config", "policies.py:Hello", "--mode", "wsam"],
        [
            "--mode 'wsam' is not a mode; write proc (ext_proc), authz (ext_authz) or wasm (inside Envoy)",
            "try 'meshext config --help'",
        ],
    ),
    "no address": (
        ["config", "policies.py:Hello", "--address", "here"],
        ["--address: 'here' is no address: write HOST:PORT, as in '127.0.0.1:8080', or unix:PATH"],
    ),
}


@pytest.mark.parametrize(("arguments", "lines"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_in_a_line(arguments: list[str], lines: list[str], process: Run) -> None:
    ended = process(*arguments)
    said = [line for line in ended.err.splitlines() if line != "modules may print"]
    assert said == [f"meshext: {line}" for line in lines]
    assert (ended.code, ended.out) == (2, "")


def test_a_spec_that_does_not_import(process: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nowhere_to_be_found\n")
    ended = process("check", "broken.py:Hello", cwd=tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("meshext: 'broken.py' does not import: ModuleNotFoundError: ")
    assert ended.err.endswith(f"({tmp_path / 'broken.py'}:1)\n")
    assert ended.err.count("\n") == 1


def test_a_missing_extra_names_the_command(process: Run, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_ENVOY_EXTRA)
    ended = process("config", "policies.py:Hello", PYTHONPATH=str(tmp_path))
    assert ended.code == 2
    assert ended.err.splitlines()[1:] == [
        "meshext: meshext config needs the 'envoy' extra: python3 -m pip install 'meshext[envoy]'"
    ]


def test_what_is_not_asked_for_needs_no_extra(process: Run, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_ENVOY_EXTRA)
    assert process("check", "policies.py:Hello", PYTHONPATH=str(tmp_path)).code == 0


def test_help_loads_nothing_heavy() -> None:
    loaded = f"print(sorted({HEAVY} & set(sys.modules)))"
    program = f"import sys; from meshext.cli.main import main; main(['--help']); {loaded}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


BROKEN_VERB = "def fail() -> None:\n    'Fails.'\n    raise RuntimeError('two\\nlines')\n"


def test_a_bug_is_a_line_and_its_traceback_is_there_on_request(
    process: Run, offer: Callable[..., Path]
) -> None:
    folder = str(offer("meshext.commands", "fail", "failing:fail", BROKEN_VERB))
    ended = process("fail", PYTHONPATH=folder)
    assert ended.code == 70
    assert ended.err.splitlines() == [
        "meshext: this is a bug in meshext: RuntimeError: two lines",
        "meshext: MESHEXT_DEBUG=1 shows where it is",
    ]
    ended = process("fail", PYTHONPATH=folder, MESHEXT_DEBUG="1")
    assert ended.code == 70
    assert "Traceback (most recent call last):" in ended.err


def test_a_refusal_has_a_traceback_on_request(process: Run) -> None:
    ended = process("check", "policies.py:Nope", MESHEXT_DEBUG="1")
    assert ended.code == 2
    assert "Traceback" in ended.err


def test_ctrl_c_is_silent(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import threading\nprint('waiting', flush=True)\nthreading.Event().wait(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "meshext", "check", "slow.py:Slow"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stderr is not None
        assert child.stderr.readline() == "waiting\n"
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_gone_is_no_error(unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "meshext", "check", "policies.py:Hello"],
            cwd=FILTERS,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "modules may print\n")


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": "", "TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(env: dict[str, str], coloured: bool) -> None:
    ours, theirs = os.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "meshext", "chek"],
            env={**os.environ, "TERM": "xterm", **env},
            stderr=theirs,
            check=False,
            timeout=60,
        )
        said = os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert said.startswith("\x1b[31mmeshext:\x1b[0m 'chek'" if coloured else "meshext: 'chek'")
