"""This machine's clock against the control plane's: certificates are judged by both."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography import x509

SET_IT = "set this machine's clock, or the control plane's"
NOTICED = 60.0  # seconds of difference that somebody should know of
_LIMITS = {"certificate is not yet valid": "is not valid yet", "certificate has expired": "has expired"}

log = logging.getLogger("meshext.sidecar")


class Skew:
    """How far our clock is ahead of the control plane's, in seconds; told when it begins to matter."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._told = False

    def note(self, here: float, there: float) -> None:
        """What both clocks say at about the same time, in seconds since 1970."""
        self.seconds = here - there
        off = abs(self.seconds) > NOTICED
        if off and not self._told:
            side = "ahead of" if self.seconds > 0 else "behind"
            log.warning(
                "this machine's clock is %.0f s %s the control plane's: certificates seem to begin and to end"
                " at other times than they do; %s",
                abs(self.seconds),
                side,
                SET_IT,
            )
        self._told = off


def explain_validity(shown: Iterable[x509.Certificate], now: datetime) -> str:
    """Why certificates that a control plane shows are not valid now; "" where all of them are."""
    for certificate in shown:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if not begin <= now <= end:
            return (
                f"the control plane's certificate is valid from {begin:%F %T} to {end:%F %T} UTC,"
                f" and it is {now:%F %T} here: {SET_IT}"
            )
    return ""


def explain_handshake(details: str) -> str:
    """What TLS says of a certificate's time, with our own; "" where it is about something else."""
    for words, told in _LIMITS.items():
        if words in details:
            return f"its certificate {told} by this machine's clock, {datetime.now(UTC):%F %T} UTC: {SET_IT}"
    return ""
