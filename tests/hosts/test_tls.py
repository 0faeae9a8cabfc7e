"""TLS on the service's own port: who is let in, and files that are rotated while it serves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair
from meshext.errors import OptionError
from meshext.hosts.credentials import Certificates
from meshext.hosts.options import TlsFiles
from tests.hosts.service_process import FILTER, ServiceProcess, call, wait_for

NAMES: list[x509.GeneralName] = [x509.DNSName("service")]


class Files:
    """The service's files, rotated by copying others over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.old, self.new = Authority(folder, "old"), Authority(folder, "new")
        self.tls = TlsFiles(cert=f"{folder}/cert.pem", key=f"{folder}/key.pem", client_ca=f"{folder}/ca.pem")
        self.rotate(self.old)

    def rotate(self, authority: Authority) -> None:
        """Certificate, key and CA of clients, one after the other."""
        pair = authority.issue(f"service-{authority.file.stem}", NAMES, usage=ExtendedKeyUsageOID.SERVER_AUTH)
        shutil.copy(pair.certificate, self.tls.cert)
        shutil.copy(pair.key, self.tls.key)
        shutil.copy(authority.file, self.tls.client_ca)

    def client(self, authority: Authority, *, known: bool = True) -> grpc.ChannelCredentials:
        """A client that trusts that authority, with a certificate of it."""
        pair: Pair | None = authority.issue("client", NAMES) if known else None
        return grpc.ssl_channel_credentials(
            authority.file.read_bytes(),
            pair.key.read_bytes() if pair else None,
            pair.certificate.read_bytes() if pair else None,
        )


@pytest.fixture
def files() -> Iterator[Files]:
    with TemporaryDirectory(prefix="mx-") as name:
        yield Files(Path(name))


@pytest.mark.slow
def test_rotation_while_it_serves(files: Files) -> None:
    """Each call is a handshake: one authority's clients until the files change, the other's from then on."""
    (files.folder / "guard.py").write_text(FILTER)
    with ServiceProcess(f"{files.folder}/guard.py:Guard", "127.0.0.1:0", tls=files.tls) as service:
        address = service.wait_serving()
        old, new = files.client(files.old), files.client(files.new)

        def status(credentials: grpc.ChannelCredentials) -> str:
            return call(address, credentials=credentials)[0]

        assert status(old) == "OK"
        assert status(files.client(files.old, known=False)) == "UNAVAILABLE"
        assert status(new) == "UNAVAILABLE"
        Path(files.tls.cert).write_text("no certificate")
        assert status(old) == "OK"
        service.wait_said(f"the last good ones serve on: --tls-cert '{files.tls.cert}' holds no certificate")
        assert [status(old) for _ in range(5)] == ["OK"] * 5
        assert service.text.count("the last good ones serve on") == 1
        files.rotate(files.new)
        assert wait_for(lambda: status(new) == "OK")
        assert [status(new) for _ in range(5)] == ["OK"] * 5
        assert status(old) == "UNAVAILABLE"


class TestFiles:
    def test_key_of_another_certificate_is_left_alone_until_the_rest_follows(self, files: Files) -> None:
        certificates = Certificates(files.tls)
        pair = files.new.issue("service-next", NAMES)
        shutil.copy(pair.key, files.tls.key)
        assert not certificates.refresh()
        shutil.copy(pair.certificate, files.tls.cert)
        assert certificates.refresh()
        assert not certificates.refresh()

    def test_what_is_wrong_at_the_start_is_refused_by_name(self, files: Files) -> None:
        Path(files.tls.key).write_text("")
        with pytest.raises(OptionError, match=r"--tls-key '.*' is no private key"):
            Certificates(files.tls)
        Path(files.tls.key).unlink()
        with pytest.raises(OptionError, match=r"--tls-key '.*': No such file"):
            Certificates(files.tls)
