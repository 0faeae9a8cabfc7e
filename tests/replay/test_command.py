"""`meshext replay`: tables that a terminal holds, JSON, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshext.cli.main import main
from meshext.recording.exchange import Recorded
from meshext.recording.format import to_line
from tests.hosts.forging import REQUEST, headers
from tests.recording.taping import check_request, tape_authz, tape_proc
from tests.replay import policies
from tests.replay.test_replay import exchange

HERE = Path(__file__).parent / "policies.py"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def replay(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`replay([recorded], "Tag", ...)`: exit code, output and errors."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(recorded: list[Recorded], *arguments: str) -> tuple[int, str, str]:
        path = tmp_path / "r.jsonl"
        path.write_bytes(b"".join(map(to_line, recorded)))
        words = [f"{HERE}:{word}" if hasattr(policies, word) else word for word in arguments]
        code = main(["replay", words[0], str(path), *words[1:]])
        out, err = capfd.readouterr()
        return code, out, err.replace(str(path), "FILE")

    return run


def test_the_same_decisions(replay: Run) -> None:
    code, out, err = replay([exchange(policies.Tag)] * 2, "Tag")
    assert (code, err) == (0, "")
    assert out == "recorded  now     exchanges\npassed    passed  2\n\n2 exchanges, all decided the same\n"


def test_other_decisions(replay: Run) -> None:
    code, out, err = replay([exchange(policies.Tag)], "NewTag")
    assert (code, err) == (1, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["line", "request", "what", "recorded", "now"] in lines
    assert ["1", "GET", "/x?a=b", "upstream", "x-tag", "old", "new"] in lines
    assert out.endswith("\n1 exchange, 1 decided otherwise\n")


def test_against_another_filter(replay: Run) -> None:
    several = [exchange(policies.OnBody)]
    code, out, _ = replay(several, "Limit", "--against", "Limit", "--against-config", '{"most": 0}')
    assert code == 1
    assert out.splitlines()[0].split() == ["first", "against", "exchanges"]
    assert out.splitlines()[1].split() == ["passed", "429", "by", "limit", "1"]


def test_json(replay: Run) -> None:
    several = [exchange(policies.Tag), tape_authz(policies.Failing, raw=check_request(REQUEST))]
    code, out, _ = replay(several, "NewTag", "--json")
    first, second, last = map(json.loads, out.splitlines())
    assert code == 1
    assert (first["line"], first["id"], first["request"]) == (1, "some-id", "GET /x?a=b")
    assert first["differences"][0] == {"what": "upstream x-tag", "before": "old", "after": "new"}
    assert first["before"]["request"]["headers"]["set"][0] == ["x-tag", ["old"]]
    assert second["missing"] == ["the request's body", "the response"][:1]
    assert (second["before"], second["after"], second["mode"]) == (None, None, "authz")
    summary = last["summary"]
    assert (summary["exchanges"], summary["replayed"], summary["different"]) == (2, 1, 1)
    assert summary["decisions"] == [{"before": "passed", "after": "passed", "exchanges": 1}]


def test_nothing_forges_a_line_of_the_table(replay: Run) -> None:
    lines = (*REQUEST[:3], (":path", b"/[red]x\n\x1b[2J"), ("x-tag", b"[bold]\r"))
    code, out, _ = replay([tape_proc(policies.Tag, messages=[headers(lines)])], "Failing")
    assert code == 1
    assert "GET /[red]x\\n\\x1b[2J" in out
    assert "\x1b" not in out


def test_what_is_missing_is_a_warning(replay: Run) -> None:
    several = [exchange(policies.OnBody), tape_authz(policies.Failing, raw=check_request(REQUEST))]
    code, out, err = replay(several, "OnBody")
    assert code == 0
    assert out.endswith("2 exchanges, all decided the same, 1 not replayed\n")
    assert err == "meshext: warning: not recorded: the request's body (1 exchange)\n"


def test_what_is_redacted_is_a_warning(replay: Run) -> None:
    recorded = tape_proc(policies.Key, messages=[headers(authorization="Bearer good")])
    code, _, err = replay([recorded], "Key")
    assert code == 1
    assert err == (
        "meshext: warning: key read 'authorization', which is redacted in the recording (1 exchange): "
        "what it decided there says little\n"
    )


def test_values_of_redacted_headers_are_not_shown(replay: Run) -> None:
    """Also where the filter writes one that is its own secret."""
    recorded = tape_proc(policies.Tag, messages=[headers()], redact=["x-tag"])
    code, out, _ = replay([recorded], "Tag", "--against", "NewTag", "--json")
    first = json.loads(out.splitlines()[0])
    assert code == 1
    assert first["differences"][0] == {
        "what": "upstream x-tag",
        "before": "<redacted>",
        "after": "<redacted>",
    }
    assert first["before"]["request"]["headers"]["set"] == [["x-tag", [{"redacted": True}]]]


def test_what_filters_print_is_no_output(replay: Run) -> None:
    _, out, err = replay([exchange(policies.OnBody)], "Chance", "--json")
    assert len(out.splitlines()) == 2
    assert err == "thrown\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["Nothing"], "there is no 'Nothing'"),
        (["OnBody", "--config", "{}x"], "--config: "),
        (["OnBody", "--against-config", "{}"], "--against-config says how to configure --against SPEC"),
        (["OnBody", "--against", "no.py:Where"], "no.py"),
        (["Port"], "nothing could be replayed; it lacks the attribute source.port (1 exchange)"),
    ],
)
def test_mistakes(arguments: list[str], told: str, replay: Run) -> None:
    words = [f"{HERE}:Nothing" if word == "Nothing" else word for word in arguments]
    code, out, err = replay([exchange(policies.OnBody)], *words)
    assert (code, out) == (2, "")
    assert told in err


def test_a_file_that_is_no_recording(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", f"{HERE}:Tag", str(HERE)]) == 2
    assert f"meshext: {HERE}: line 1: not JSON" in capfd.readouterr().err
    assert main(["replay", f"{HERE}:Tag"]) == 2
    assert "give at least one filter, then the recording" in capfd.readouterr().err


def test_a_terminal_is_not_overflown(replay: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def isatty(self) -> bool:
            return True

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

    lines = (*REQUEST[:3], (":path", b"/" + b"long" * 100))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", Terminal(sys.stdout))
    _, out, _ = replay([tape_proc(policies.Tag, messages=[headers(lines)])], "Failing")
    assert max(map(len, out.splitlines())) <= 60
