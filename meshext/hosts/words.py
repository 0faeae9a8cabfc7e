"""What supervisor and worker say to each other: JSON, one object a line, over a socket pair."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

PIECE = 65_536

Word = dict[str, Any]


class Words:
    """One end of the conversation."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._rest = b""

    def say(self, **word: Any) -> None:
        """Say one word; one that nobody hears any more is lost."""
        with contextlib.suppress(OSError):
            self.channel.sendall(json.dumps(word).encode() + b"\n")

    def hear(self) -> list[Word] | None:
        """What was said since; None when the other end is gone."""
        try:
            said = self.channel.recv(PIECE)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not said:
            return None
        *lines, self._rest = (self._rest + said).split(b"\n")
        return [json.loads(line) for line in lines]

    def wait(self) -> list[Word] | None:
        """The next whole words, on a blocking socket; None when the other end is gone."""
        while (words := self.hear()) == []:
            pass
        return words

    def close(self) -> None:
        """End the conversation."""
        self.channel.close()
