"""What a worker records of its exchanges, if anybody asked for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from meshext.engine.chain import Chain
from meshext.engine.observer import Observer
from meshext.errors import RecordingError
from meshext.hosts.options import ServiceOptions

if TYPE_CHECKING:
    from meshext.recording.writer import RecordingWriter

log = logging.getLogger("meshext.recording")

PATIENCE = 2.0  # seconds for what waits to be written; less than the supervisor waits for a sign of life


def check_recording(options: ServiceOptions) -> None:
    """Refuse a file that is not fit for recordings, or make it, before the first worker starts."""
    if options.record:
        from meshext.recording.file import RecordingFile
        from meshext.recording.redaction import check_redacted

        check_redacted(options.redact)
        RecordingFile(options.record).close()


class WorkerRecording:
    """Nothing at all without `--record`: no observer, no import.

    `observe` once filters are loaded, `stop` at the very end.
    """

    def __init__(self, options: ServiceOptions) -> None:
        self._options = options
        self._writer: RecordingWriter | None = None

    def observe(self, chain: Chain, inner: Observer | None) -> Observer | None:
        """An observer that records what it hands on to `inner`.

        Where the file has gone bad since the service began there is a line in the log and no recording: a
        worker that takes another's place serves all the same.
        """
        options = self._options
        if not options.record:
            return inner
        from meshext.recording.file import RecordingFile
        from meshext.recording.recorder import Recorder, describe_served
        from meshext.recording.redaction import check_redacted
        from meshext.recording.writer import RecordingWriter

        served = describe_served(options.specs, options.configs, check_redacted(options.redact))
        try:
            self._writer = RecordingWriter(RecordingFile(options.record))
        except RecordingError as error:
            log.error("exchanges of this worker are not recorded: %s", error)
            return inner
        return Recorder(chain.needs, served, self._writer.keep, inner)

    def stop(self) -> None:
        """Write what waits to be written; no exchange is open any more."""
        if self._writer is not None:
            self._writer.close(PATIENCE)
