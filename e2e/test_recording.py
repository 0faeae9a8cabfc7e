"""`meshext run --record` beside the real Envoy, and `meshext replay` of what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.played import PlayedUpstream, connect, playing, request, response, status_of
from e2e.stage import FILTERS, Stage
from e2e.watched import started
from meshext.cli.main import main
from meshext.sandbox.client import send

EXAMPLES = Path(__file__).parents[1] / "filters" / "examples"
API_KEY = f"{EXAMPLES}/02_api_key/filter.py:ApiKey"
CHUNKED = "transfer-encoding: chunked"
DEADLINE = 30.0  # seconds
KEYS = ("--config", f"{EXAMPLES}/02_api_key/config.yaml")

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

OTHER = """
from meshext import Filter, Respond

class Other(Filter):
    def on_request(self, request):
        if "x-api-key" in request.headers:
            return Respond(403, body="closed")
        request.headers["x-caller"] = "anyone"
"""

Replay = Callable[..., tuple[int, list[dict[str, Any]], dict[str, Any]]]


@pytest.fixture
def replay(capfd: pytest.CaptureFixture[str]) -> Replay:
    """`replay(spec, path, ...)`: exit code, exchanges, summary."""

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
        capfd.readouterr()
        code = main(["replay", *arguments, "--json"])
        *found, last = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
        return code, found, last["summary"]

    return run


def record(spec: str, path: Path, *options: str) -> None:
    """Send the example's calls while recording."""
    command = [sys.executable, "-m", "meshext", "run", spec, "--try", "--record", str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("example", "mode", "calls"),
    [
        ("04_body_inspection", "proc", 7),
        ("06_response_headers", "authz", 4),
        ("07_jwt_claims", "proc", 4),  # two more are refused by Envoy, before the filter
    ],
)
def test_the_same_filter_decides_the_same(
    example: str, mode: str, calls: int, tmp_path: Path, replay: Replay
) -> None:
    spec, path = str(EXAMPLES / example / "filter.py"), tmp_path / "r.jsonl"
    record(spec, path, "--mode", mode)
    code, found, summary = replay(spec, str(path), "--config", str(EXAMPLES / example / "config.yaml"))
    assert [each["differences"] for each in found] == [[]] * calls
    assert {each["mode"] for each in found} == {mode}
    assert (code, summary["exchanges"], summary["missing"]) == (0, calls, {})


Talk = tuple[list[bytes], list[bytes]]
"""Pieces up and down. Of the latter each ends a line, so that a filter which holds lines back gives some."""

PLAIN: Talk = ([b"one", b"two", b"three"], [b"four\nfi", b"ve\nsi", b"x\n"])
REFUSED: tuple[Talk, ...] = (
    ([b"fine", b"stop"], []),
    ([b"fine", b"raise"], []),
    ([b"fine"], [b"fine", b"stop"]),
)


@pytest.mark.parametrize(
    ("name", "talks"),
    [
        ("Upper", [PLAIN]),
        ("UpperDuplex", [PLAIN]),
        ("Lines", [PLAIN]),
        ("Stops", [PLAIN, *REFUSED]),
        ("StopsDuplex", [PLAIN, *REFUSED]),
    ],
)
def test_chunks_are_decided_the_same(name: str, talks: list[Talk], tmp_path: Path, replay: Replay) -> None:
    """As many chunks as came each way, and answers and cuts in between."""
    spec, path = f"{FILTERS}/flowing.py:{name}", tmp_path / "r.jsonl"
    with playing(f"flowing.py:{name}", mode="proc", record=str(path)) as (stage, upstream):
        for up, down in talks:
            talk(stage, upstream, up, down)
    code, found, summary = replay(spec, str(path))
    assert max(chunks_in(line) for line in path.read_text().splitlines()) > 2
    assert [each["differences"] for each in found] == [[]] * len(talks)
    assert (code, summary["exchanges"], summary["missing"]) == (0, len(talks), {})


def talk(stage: Stage, upstream: PlayedUpstream, up: list[bytes], down: list[bytes]) -> None:
    """One exchange, piece by piece, each received before the next is sent, and trailers both ways."""
    with connect(stage.port) as client:
        client.send(request("POST", "/", CHUNKED, "te: trailers"))
        client.chunk(up[0])
        with upstream.accept() as served:
            served.head()
            served.next_chunk()
            for piece in up[1:]:
                client.chunk(piece)
                if not down:
                    assert status_of(client.head()) in (403, 500)
                    return
                served.next_chunk()
            client.send(b"0\r\nx-end: up\r\n\r\n")
            assert served.next_chunk() == b""
            served.send(response(200, CHUNKED))
            assert status_of(client.head()) == 200
            for piece in down:
                served.chunk(piece)
                if piece == b"stop":
                    assert client.ended()
                    return
                assert client.next_chunk()
            served.send(b"0\r\nx-end: down\r\n\r\n")
            assert client.until(b"x-end: down\r\n\r\n")


def chunks_in(line: str) -> int:
    """The most chunks that a message of a recorded exchange has."""
    exchange = json.loads(line)
    bodies = [exchange.get(way, {}).get("body", {}) for way in ("request", "response")]
    return max(len(body.get("chunks", ())) for body in bodies)


@pytest.mark.parametrize("mode", ["authz", "proc"])
def test_another_filter_differs_exactly_where_it_does(mode: str, tmp_path: Path, replay: Replay) -> None:
    path, other = tmp_path / "r.jsonl", tmp_path / "other.py"
    other.write_text(OTHER)
    record(API_KEY, path, "--mode", mode)
    assert replay(API_KEY, str(path), *KEYS)[0] == 0
    passed = {
        "decision": ("passed", "403 by other"),
        "upstream x-api-key": ("(removed)", "-"),
        "client body": ("-", "closed (6 bytes)"),
    }
    refused = {
        "client www-authenticate": ('ApiKey realm="api"', "-"),
        "client body": ("no such key\n (12 bytes)", "closed (6 bytes)"),
        "decision": ("401 by api-key", "403 by other"),
    }
    wanted = [
        passed | {"upstream x-caller": ("billing", "-")},
        passed | {"upstream x-caller": ("reports", "-")},
        refused
        | {
            "decision": ("401 by api-key", "passed"),
            "client body": ("no such key\n (12 bytes)", "-"),
            "upstream x-caller": ("-", "anyone"),
        },
        refused,
        refused,
    ]
    for arguments in (
        (f"{other}:Other", str(path)),
        (API_KEY, str(path), *KEYS, "--against", f"{other}:Other"),
    ):
        code, found, _ = replay(*arguments)
        assert code == 1
        assert [
            {each["what"]: (each["before"], each["after"]) for each in exchange["differences"]}
            for exchange in found
        ] == wanted


VERSIONS = """
from meshext import Filter, Request, Response

class Versions(Filter):
    def on_request(self, request: Request) -> None:
        request.headers["x-version"] = "{version}"
"""
LATE = """
    def on_response(self, response: Response) -> None:
        response.headers["x-late"] = "{version}"
"""


def test_one_recording_of_all_versions(tmp_path: Path, replay: Replay) -> None:
    """With --watch too, also when hooks change and another service writes: each exchange in one line."""
    source, path = tmp_path / "versions.py", tmp_path / "r.jsonl"
    source.write_text(VERSIONS.format(version=1))
    spec = f"{source}:Versions"
    with started("run", spec, "--watch", "--record", str(path)) as url:
        sent = 0
        for version in (1, 2, 3):
            text = VERSIONS + LATE if version > 2 else VERSIONS
            fresh = tmp_path / "fresh"
            fresh.write_text(text.format(version=version))
            fresh.rename(source)
            end, served = time.monotonic() + DEADLINE, ""
            while served != str(version):
                assert time.monotonic() < end, f"version {version} does not serve"
                served = dict(json.loads(send(url, "GET", "/").text)["headers"])["x-version"]
                sent += 1
    assert path.stat().st_mode & 0o777 == 0o600
    code, found, summary = replay(spec, str(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert summary["exchanges"] == len(lines) == sent
    versions = [dict(line["decision"]["request"]["headers"]["set"])["x-version"] for line in lines]
    assert [not each["differences"] for each in found] == [version == ["3"] for version in versions]
    assert ["1"] in versions
    assert ["2"] in versions
    assert code == 1


def test_named_headers_are_not_in_the_file(tmp_path: Path, replay: Replay) -> None:
    path = tmp_path / "r.jsonl"
    record(API_KEY, path, "--redact", "X-Api-Key")
    assert b"demo-key" not in path.read_bytes()
    code, found, summary = replay(API_KEY, str(path), *KEYS)
    assert code == 1
    assert [bool(each["differences"]) for each in found] == [True, True, False, False, False]
    assert "x-api-key" in json.dumps(summary["redacted_reads"])
