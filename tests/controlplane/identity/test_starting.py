"""An authority from one start to the next: sealed keys, a state that is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.identity.authority import CertificateAuthority
from meshext_controlplane.identity.brought import Brought
from meshext_controlplane.identity.errors import AuthorityError, AuthorityMissing, SealError
from meshext_controlplane.identity.marker import default_marker, read_marker
from meshext_controlplane.identity.sealing import Sealer, new_parameters
from meshext_controlplane.identity.starting import start_authority
from meshext_controlplane.state.backup import back_up, restore
from meshext_controlplane.state.store import StateStore
from tests.controlplane.identity.conftest import TRUST_DOMAIN

SECRET = b"correct horse battery staple\n"


def start(
    folder: Path, *, initialise: bool = False, secret: bytes | None = None, brought: Brought | None = None
) -> CertificateAuthority:
    """One start of a control plane, which ends at once."""
    with StateStore(folder) as store:
        return start_authority(
            store,
            trust_domain=TRUST_DOMAIN,
            marker=default_marker(folder),
            initialise=initialise,
            secret=secret,
            brought=brought,
        )


def test_the_authority_stays(tmp_path: Path) -> None:
    first = start(tmp_path / "state")
    again = start(tmp_path / "state")
    assert again.roots == first.roots
    assert again.issuer.certificate == first.issuer.certificate
    assert read_marker(tmp_path / "state.has-run") is not None


def test_a_lost_state_is_no_beginning(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first = start(folder)
    with StateStore(folder) as store:
        back_up(store, tmp_path / "copy.db")
    (folder / "state.db").unlink()
    with pytest.raises(
        AuthorityMissing, match=r"has run here .* meshext restore BACKUP --state .*, or --init"
    ) as caught:
        start(folder)
    assert caught.value.exit_code == 2
    restore(tmp_path / "copy.db", folder)
    assert start(folder).roots == first.roots
    (folder / "state.db").unlink()
    second = start(folder, initialise=True)
    assert second.roots != first.roots
    assert start(folder).roots == second.roots


def test_the_state_of_another_mesh_is_refused(tmp_path: Path) -> None:
    start(tmp_path / "here")
    start(tmp_path / "there")
    (tmp_path / "there" / "state.db").replace(tmp_path / "here" / "state.db")
    with pytest.raises(AuthorityError, match="is another than the one that ran here"):
        start(tmp_path / "here")
    start(tmp_path / "here", initialise=True)
    start(tmp_path / "here")


def test_a_state_moves_to_another_machine(tmp_path: Path) -> None:
    first = start(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    assert start(tmp_path / "new").roots == first.roots
    assert read_marker(tmp_path / "new.has-run") is not None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"state": 1}', b"\xff\xfe", b'{"roots": 5, "state": ""}']
)
def test_a_marker_that_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "state.has-run").write_bytes(content)
    with pytest.raises(AuthorityError, match="is no marker of meshext"):
        start(tmp_path / "state")


def test_a_marker_that_can_not_be_written(tmp_path: Path) -> None:
    wanted = pytest.raises(AuthorityError, match="No such file or directory; name another place")
    with StateStore(tmp_path / "state") as store, wanted:
        start_authority(store, trust_domain=TRUST_DOMAIN, marker=tmp_path / "none" / "marker")


def test_one_state_is_for_one_trust_domain(tmp_path: Path) -> None:
    start(tmp_path / "state")
    wanted = pytest.raises(
        AuthorityError, match=r"for the trust domain shop\.example, and other is asked for"
    )
    with StateStore(tmp_path / "state") as store, wanted:
        start_authority(store, trust_domain="other", marker=tmp_path / "marker")


def test_sealed_keys_open_with_their_secret_only(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first = start(folder, secret=SECRET)
    assert start(folder, secret=SECRET.rstrip()).roots == first.roots
    with pytest.raises(SealError, match="are encrypted: give the passphrase or the key file"):
        start(folder)
    with pytest.raises(SealError, match="do not open with this passphrase"):
        start(folder, secret=b"another passphrase")
    assert holds_no_key(folder, first)


def test_keys_are_sealed_when_a_secret_comes_later(tmp_path: Path) -> None:
    """Nothing of them is left in the file: SQLite overwrites what it frees (secure_delete)."""
    folder = tmp_path / "state"
    first = start(folder)
    assert not holds_no_key(folder, first)
    start(folder, secret=SECRET)
    assert holds_no_key(folder, first)
    assert start(folder, secret=SECRET).roots == first.roots


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="has 5 bytes; use at least 8"):
        start(tmp_path / "state", secret=b"short\n")


def holds_no_key(folder: Path, authority: CertificateAuthority) -> bool:
    """Whether no private key can be read in any file of the folder."""
    number = authority.issuer.key.private_numbers()
    assert hasattr(number, "private_value")
    secret = number.private_value.to_bytes(32, "big")
    return all(secret not in path.read_bytes() for path in folder.iterdir())


PARAMETERS = new_parameters()
SEALER = Sealer.from_secret(SECRET, PARAMETERS)


@given(
    st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20), st.integers(0), st.integers(1, 255)
)
def test_what_is_sealed_can_not_be_moved_or_changed(
    plain: bytes, name: str, other: str, place: int, bits: int
) -> None:
    sealed = SEALER.seal(plain, name)
    assert SEALER.open(sealed, name) == plain
    changed = bytearray(sealed)
    changed[1 + place % (len(sealed) - 1)] ^= bits
    for stored, asked in ((bytes(changed), name), *([(sealed, other)] if other != name else [])):
        with pytest.raises(SealError):
            SEALER.open(stored, asked)
    assert SECRET.decode().strip() not in repr(SEALER)
