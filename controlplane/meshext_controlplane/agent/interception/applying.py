"""Puts the rules into this network namespace, and then gives up the privileges that it took."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from meshext_controlplane.agent.errors import AgentError
from meshext_controlplane.agent.interception.iptables import (
    Table,
    build_filter,
    build_ipv6,
    build_nat,
    emit_restore,
)
from meshext_controlplane.agent.interception.settings import Interception
from meshext_controlplane.translate.virtual_addresses import RANGE

ROUTE = ("ip", "-4", "route", "replace", str(RANGE), "dev", "lo")
"""Addresses of services lead nowhere but to Envoy. Without a route the kernel refuses them on networks that
have no way out, before any rule is asked."""

_IPV6 = Path("/proc/net/if_inet6")  # not there where the kernel has no IPv6, or has it switched off
_LIMIT = 30.0  # seconds for a command; iptables waits for others who change rules


class InterceptionError(AgentError):
    """The rules are not there, so nothing may start."""


def show_rules(settings: Interception) -> str:
    """Everything that `intercept` does in a namespace without rules, for people to read."""
    parts = (
        f"# {' '.join(ROUTE)}",
        "# iptables-restore --noflush",
        emit_restore(build_filter()),
        emit_restore(build_nat(settings)),
        "# ip6tables-restore --noflush, where there is IPv6",
        emit_restore(build_ipv6(settings)),
    )
    return "\n".join(parts)


def intercept(settings: Interception) -> None:
    """Put the rules in place, each table at once; InterceptionError where that is not possible."""
    if os.geteuid() != 0:
        raise InterceptionError(
            "--transparent changes rules of the network: start it as root with NET_ADMIN, it goes on as"
            f" user {settings.user}"
        )
    _run(ROUTE)
    # IPv6 first: there is no moment in which only the other protocol is watched.
    if _IPV6.exists():
        _restore("ip6tables", build_ipv6(settings))
    _restore("iptables", build_filter())
    _restore("iptables", build_nat(settings))


def become(settings: Interception, *folders: Path) -> None:
    """Go on as the sidecar's user, to whom these folders belong from then on; for good."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        os.chown(folder, settings.user, settings.group)
    os.setgroups([])
    os.setgid(settings.group)
    os.setuid(settings.user)


def _restore(program: str, table: Table) -> None:
    saved = _run([f"{program}-save", "-t", table.name])
    _run([f"{program}-restore", "--noflush", "--wait", "10"], emit_restore(table, saved))


def _run(command: Sequence[str], text: str = "") -> str:
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
    except FileNotFoundError:
        raise InterceptionError(f"there is no {command[0]!r}: install iptables and iproute2") from None
    except subprocess.TimeoutExpired:
        raise InterceptionError(f"{' '.join(command)!r} did not end in {_LIMIT:g} s") from None
    if done.returncode != 0:
        reason = " ".join((done.stderr or done.stdout).split())[:300]
        raise InterceptionError(f"{' '.join(command)!r} failed: {reason}; it needs NET_ADMIN")
    return done.stdout
