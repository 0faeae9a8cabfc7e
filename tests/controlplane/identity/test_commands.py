"""`meshext token`, `ban`, `certs`, `backup` and `restore` on a state."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from meshext.cli.main import main
from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.enrollment import Enrollment
from meshext_controlplane.state.backup import check_backup
from meshext_controlplane.state.ownership import Ownership
from meshext_controlplane.state.store import FILE, StateStore
from tests.controlplane.identity.conftest import API, WEB
from tests.controlplane.identity.requests import KEY, csr

Run = Callable[..., tuple[int, str, str]]

CREATE = ("token", "create", "--namespace", "shop", "--service-account")


@pytest.fixture
def meshext(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, authority: CertificateAuthority
) -> Run:
    """A command on the state: its exit code, what it printed, what it complained of."""
    monkeypatch.setenv("MESHEXT_STATE", str(authority.store.folder))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return (code, *capfd.readouterr())

    return run


def test_a_token_from_the_command_line_is_good_once(meshext: Run, enrollment: Enrollment) -> None:
    code, token, _ = meshext(*CREATE, "web", "--labels", "app=web,tier=front", "--ports", "80,8000-8010")
    assert code == 0
    svid = enrollment.join(token, csr())
    assert svid.identity == WEB
    (listed,) = json.loads(meshext("token", "list", "--json")[1])
    assert listed["labels"] == {"app": "web", "tier": "front"}
    assert (listed["ports"], listed["usable"]) == ("80,8000-8010", False)
    assert listed["id"] in meshext("token", "list")[1]
    assert meshext("token", "revoke", listed["id"])[0] == 2
    (held,) = json.loads(meshext("certs", "--json")[1])["certificates"]
    assert (held["identity"], held["serial"], held["token"]) == (str(WEB), svid.serial, listed["id"])


def test_a_token_is_taken_back(meshext: Run, enrollment: Enrollment) -> None:
    made = json.loads(meshext(*CREATE, "web", "--json")[1])
    assert made["token"] not in meshext("token", "list")[1]
    assert meshext("token", "revoke", made["id"])[0] == 0
    assert json.loads(meshext("token", "list", "--json")[1]) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("Web",), "meshext: 'Web' is no service account; write lower-case letters, digits and `-`\n"),
        (("web", "--ports", "8080-80"), "meshext: '8080-80' is no range of ports between 1 and 65535\n"),
        (("web", "--ports", "http"), "meshext: 'http' is no port; write 8080, or 8000-8100\n"),
        (("web", "--labels", "app=a,app=b"), "meshext: --labels gives app two values; a label has one\n"),
        (("web", "--ttl", "40d"), "meshext: a token can not live for 3456000 s; use 1 s to 30 days\n"),
        (("web", "--ttl", "soon"), "meshext: --ttl 'soon' is no span of time; write 30m, 12h or 1d12h\n"),
    ],
)
def test_what_a_token_can_not_be(arguments: tuple[str, ...], problem: str, meshext: Run) -> None:
    code, out, complaint = meshext(*CREATE, *arguments)
    assert (code, out) == (2, "")
    assert complaint.startswith(problem)


def test_nobody_joins_as_the_control_plane(meshext: Run) -> None:
    place = ("--namespace", "meshext-system", "--service-account", "controlplane")
    code, _, complaint = meshext("token", "create", *place)
    assert code == 2
    assert "is the control plane itself; name another service account" in complaint


def test_bans_are_set_listed_and_lifted(meshext: Run, authority: CertificateAuthority) -> None:
    svid = authority.issue(csr(), API)
    assert meshext("ban", str(WEB), svid.serial.upper(), "--reason", "leaked\x1b[31m")[0] == 0
    listed = meshext("ban")[1]
    assert str(WEB) in listed
    assert "leaked\\x1b[31m" in listed
    assert [each["banned"] for each in json.loads(meshext("certs", "--json")[1])["certificates"]] == [True]
    assert "banned" in meshext("certs")[1]
    assert meshext("ban", "--lift", str(WEB), svid.serial)[0] == 0
    assert meshext("ban", "--lift", str(WEB)) == (1, "", f"meshext: not banned: {WEB}\n")
    assert json.loads(meshext("ban", "--json")[1]) == []


@pytest.mark.parametrize(
    "who",
    ["nobody", "spiffe://other.example/ns/a/sa/b", "spiffe://shop.example/ns/meshext-system/sa/controlplane"],
)
def test_who_can_not_be_banned(who: str, meshext: Run) -> None:
    code, _, complaint = meshext("ban", who)
    assert code == 2
    assert complaint.count("\n") == 1


def test_a_backup_comes_back(meshext: Run, enrollment: Enrollment, store: StateStore, tmp_path: Path) -> None:
    """With the token that was unused then, and without the ban that came later."""
    copy = tmp_path / "copy.db"
    token = meshext(*CREATE, "web")[1]
    code, out, _ = meshext("backup", str(copy))
    assert code == 0
    assert "2 authorities, 1 tokens" in out
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert meshext("backup", str(copy)) == (2, "", f"meshext: {copy} exists already; name a new file\n")
    meshext("ban", str(WEB))
    assert meshext("restore", str(copy))[0] == 2
    store.close()
    assert meshext("restore", str(copy), "--force")[0] == 0
    with StateStore(store.folder) as restored:
        again = Enrollment(restored, enrollment.authority)
        enrollment.authority.store = again.store = restored
        assert again.join(token, csr(key=KEY)).identity == WEB
    (kept,) = store.folder.glob(f"{FILE}.before-restore-*[0-9Z]")
    assert check_backup(kept).rows["bans"] == 1


def test_nothing_is_restored_under_a_control_plane(meshext: Run, store: StateStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    meshext("backup", str(copy))
    with Ownership(store.folder):
        code, _, complaint = meshext("restore", str(copy), "--force")
    assert code == 2
    assert complaint.endswith(f" {store.folder} is in use by a control plane: stop that first\n")


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "other"])
def test_a_damaged_backup_is_refused(damage: str, meshext: Run, store: StateStore, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    meshext("backup", str(copy))
    content = copy.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:middle],
        "garbage": content[:middle] + b"\xff" * middle,
        "empty": b"",
        "other": b"SQLite format 3\x00" + b"\x00" * 200,
    }[damage]
    copy.write_bytes(damaged)
    before = store.path.read_bytes()
    for arguments in (("--check",), ("--force",)):
        code, _, complaint = meshext("restore", str(copy), *arguments)
        assert (code, complaint.count("\n")) == (2, 1)
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("verb", ["token list", "ban", "certs", "backup x"])
def test_without_a_state(verb: str, meshext: Run, tmp_path: Path) -> None:
    code, _, complaint = meshext(*verb.split(), "--state", str(tmp_path / "none"))
    assert (code, complaint.count("\n")) == (2, 1)
    assert "there is no state in" in complaint
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("verb", ["token", "token create", "token list", "token revoke", "ban", "certs"])
def test_every_verb_has_an_example(verb: str, meshext: Run) -> None:
    code, page, _ = meshext(*verb.split(), "--help")
    assert code == 0
    assert f"meshext {verb}" in page.partition("Example")[2]
