"""Whether the application answers: a connection, or an HTTP request, again and again."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import h11

from meshext.envoy.upstreams import Address, TcpAddress, parse_address
from meshext.errors import ConfigError
from meshext_controlplane.agent.metrics import Counts
from meshext_controlplane.model.workload import WorkloadPort

SOURCE = "--probe"
_PROBE = re.compile(r"(?P<kind>tcp|http)(:(?P<port>[0-9]{1,5}))?(?P<path>/[\x21-\x7e]*)?")
_PIECE = 16_384  # bytes read at once
_EARLY = 0.1  # seconds between two tries where another answer may come soon
_PATIENT = 50  # such tries; then the usual pace
_NOBODY = (ConnectionRefusedError, FileNotFoundError)  # of TCP, of a Unix socket

log = logging.getLogger("meshext.sidecar")


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to the application: a request for `path`, or only a connection where it is ""."""

    address: Address
    path: str = ""

    def __str__(self) -> str:
        return f"GET {self.path} at {self.address}" if self.path else f"connection to {self.address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is asked, how long an answer may take (seconds), and how many failures in a row mean it."""

    period: float = 2.0
    time_limit: float = 1.0
    failures: int = 3


def parse_probe(text: str, ports: Sequence[WorkloadPort]) -> Probe:
    """`tcp[:PORT]` or `http[:PORT]/PATH`; PORT is one of `--port`, the first where none is given.

    ConfigError in one line otherwise.
    """
    found = _PROBE.fullmatch(text)
    if found is None or (found["kind"] == "tcp") == bool(found["path"]):
        raise _error(f"{text[:100]!r}: write tcp[:PORT] or http[:PORT]/PATH, as in 'http:8080/healthz'")
    if not ports:
        raise _error(f"{text[:100]!r}: there is no --port to ask")
    wanted = int(found["port"]) if found["port"] else ports[0].number
    for port in ports:
        if port.number == wanted:
            return Probe(parse_address(port.application), found["path"] or "")
    raise _error(f"{text[:100]!r}: {wanted} is none of --port")


def default_probes(ports: Sequence[WorkloadPort]) -> tuple[Probe, ...]:
    """Where nobody says: the application takes connections at each of its ports."""
    return tuple(Probe(parse_address(port.application)) for port in ports)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the application is not ready, "" where it is. `refused` is whether nobody listens there at all."""

    problem: str = ""
    refused: bool = False


async def ask(probe: Probe, *, time_limit: float) -> Verdict:
    """Ask once."""
    try:
        async with asyncio.timeout(time_limit):
            status = await _exchange(probe)
    except TimeoutError:
        return Verdict(f"no answer in {time_limit:g} s")
    except OSError as error:
        return Verdict(str(error.strerror or error), isinstance(error, _NOBODY))
    except h11.ProtocolError as error:
        return Verdict(f"it does not speak HTTP ({error})")
    return Verdict() if 200 <= status < 400 else Verdict(f"it answered {status}")


async def watch(
    probes: Sequence[Probe], pace: Pace, tell: Callable[[bool], None], *, counts: Counts | None = None
) -> None:
    """Ask for ever; `tell` gets whether the application is ready, whenever that became another.

    Where nobody listens, every request fails: then the next tries do not wait for their turn, so that peers
    know soon, and know as soon that it is back.
    """
    ready, seen, failures, counts = False, False, 0, counts or Counts()
    if not probes:
        tell(True)
        await asyncio.Event().wait()  # a part of the sidecar that ends would end it
    while True:
        verdicts = await asyncio.gather(*(ask(probe, time_limit=pace.time_limit) for probe in probes))
        told = zip(probes, verdicts, strict=True)
        problem = next((f"{probe}: {each.problem}" for probe, each in told if each.problem), "")
        counts.probed(answered=not problem)
        failures = failures + 1 if problem else 0
        now = not problem or (ready and failures < pace.failures)
        if now is not ready:
            log.info("the application is %s%s", "ready" if now else "not ready: ", problem if not now else "")
            ready, seen = now, True
            tell(ready)
        elif failures == _PATIENT and not seen:
            log.warning("the application does not answer yet: %s", problem)
        early = (not seen or any(each.refused for each in verdicts)) and failures < _PATIENT
        await asyncio.sleep(min(_EARLY, pace.period) if early else pace.period)


async def _exchange(probe: Probe) -> int:
    address = probe.address
    if isinstance(address, TcpAddress):
        reader, writer = await asyncio.open_connection(address.host, address.port)
    else:
        reader, writer = await asyncio.open_unix_connection(address.path)
    try:
        return await _status(probe.path, reader, writer) if probe.path else 200
    finally:
        writer.close()


async def _status(path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    conn = h11.Connection(h11.CLIENT)
    headers = [("host", "localhost"), ("user-agent", "meshext-probe"), ("connection", "close")]
    writer.write(conn.send(h11.Request(method="GET", target=path, headers=headers)))
    writer.write(conn.send(h11.EndOfMessage()))
    while True:
        event = conn.next_event()
        if event is h11.NEED_DATA:
            conn.receive_data(await reader.read(_PIECE))
        elif isinstance(event, h11.Response):
            return event.status_code
        elif not isinstance(event, h11.InformationalResponse):
            raise h11.RemoteProtocolError("the connection was closed")


def _error(problem: str) -> ConfigError:
    return ConfigError([problem], source=SOURCE)
