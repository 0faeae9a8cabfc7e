from __future__ import annotations

import subprocess
import sys

from meshext.engine.current import CURRENT, Current
from meshext.hosts.pulse import Pulse


def test_child_and_parent_share_it() -> None:
    pulse = Pulse.shared()
    words = "from meshext.hosts.pulse import Pulse; Pulse.attach({}).enter(12.5)"
    command = [sys.executable, "-c", words.format(pulse.descriptor)]
    subprocess.run(command, pass_fds=(pulse.descriptor,), check=True, timeout=30)
    assert pulse.due() == 12.5
    assert pulse.overdue(13.0) == 0.5
    assert pulse.overdue(12.0) == -0.5
    pulse.close()


def test_no_hook_is_never_overdue() -> None:
    pulse = Pulse.private()
    assert pulse.overdue(1e9) == 0.0
    pulse.enter(1.0)
    pulse.leave()
    assert pulse.due() == 0.0
    assert pulse.overdue(1e9) == 0.0


def test_it_says_what_runs_and_what_ran_last() -> None:
    pulse = Pulse.private()
    token = CURRENT.set(Current("some-id", "guard", "on_request"))
    pulse.enter(1.0)
    CURRENT.reset(token)
    assert pulse.running() == "guard on_request [some-id]"
    pulse.leave()
    assert pulse.running() == "guard on_request [some-id]"


def test_a_long_name_is_cut_and_leaves_nothing_of_the_one_before() -> None:
    pulse = Pulse.private()
    for name in ("x" * 1000, "é" * 300, "short"):
        token = CURRENT.set(Current("id", name, "on_request"))
        pulse.enter(1.0)
        CURRENT.reset(token)
        assert pulse.running().startswith(name[:100])
    assert pulse.running() == "short on_request [id]"
    assert pulse.due() == 1.0
