"""What a worker records of its exchanges, if anybody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshext.engine.chain import Chain
from meshext.engine.observer import Observer
from meshext.hosts.options import ServiceOptions

if TYPE_CHECKING:
    from meshext.recording.writer import RecordingWriter

PATIENCE = 2.0  # seconds for what waits to be written; less than the supervisor waits for a sign of life


class WorkerRecording:
    """Nothing at all without `--record`: no observer, no import.

    `observe` once filters are loaded, `stop` at the very end.
    """

    def __init__(self, options: ServiceOptions) -> None:
        self._options = options
        self._writer: RecordingWriter | None = None

    def observe(self, chain: Chain, inner: Observer | None) -> Observer | None:
        """An observer that records what it hands on to `inner`; RecordingError where the file is refused."""
        options = self._options
        if not options.record:
            return inner
        from meshext.recording.file import RecordingFile
        from meshext.recording.recorder import Recorder, describe_served
        from meshext.recording.redaction import check_redacted
        from meshext.recording.writer import RecordingWriter

        served = describe_served(options.specs, options.configs, check_redacted(options.redact))
        self._writer = RecordingWriter(RecordingFile(options.record))
        return Recorder(chain.needs, served, self._writer.keep, inner)

    def stop(self) -> None:
        """Write what waits to be written; no exchange is open any more."""
        if self._writer is not None:
            self._writer.close(PATIENCE)
