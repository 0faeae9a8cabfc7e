"""Who comes: certificates that prove something, and certificates that only look as if they did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from e2e.certificates import Authority, Pair

WEB = "spiffe://td.test/ns/shop/sa/web"
URI, DNS = x509.UniformResourceIdentifier, x509.DNSName
TRICKS = {
    "slash-behind": f"{WEB}/",
    "slash-twice": "spiffe://td.test//ns/shop/sa/web",
    "dots": "spiffe://td.test/ns/shop/sa/other/../web",
    "dot": "spiffe://td.test/ns/./shop/sa/web",
    "escaped": "spiffe://td.test/ns/shop/sa/%77eb",
    "query": f"{WEB}?x",
    "fragment": f"{WEB}#x",
    "port": "spiffe://td.test:443/ns/shop/sa/web",
    "user": "spiffe://u@td.test/ns/shop/sa/web",
    "domain-as-user": "spiffe://td.test@evil.test/ns/shop/sa/web",
    "scheme": "SPIFFE://td.test/ns/shop/sa/web",
    "no-slashes": "spiffe:td.test/ns/shop/sa/web",
    "other-scheme": "https://td.test/ns/shop/sa/web",
    "line-behind": f"{WEB}\n",
    "blank-before": f" {WEB}",
    "account-twice": "spiffe://td.test/ns/shop/sa/web/sa/other",
}
"""SPIFFE IDs that somebody might take for WEB; each is itself and nobody else."""

IDENTITIES = {
    "web": WEB,
    "other": "spiffe://td.test/ns/shop/sa/other",
    "dotless": "spiffe://td.test/ns/sxhop/sa/wexb",
    "dotted": "spiffe://td.test/ns/s.hop/sa/we.b",
    "dotted-longer": "spiffe://td.test/ns/s.hop/sa/we.b2",
    "evil-domain": "spiffe://td.test.evil/ns/shop/sa/web",
    "prefix-domain": "spiffe://evil.td.test/ns/shop/sa/web",
    "longer": f"{WEB}2",
    "capital-domain": "spiffe://TD.test/ns/shop/sa/web",
    "suffix-only": "spiffe://x/td.test/ns/shop/sa/web",
    "kept-inside": WEB,
    **TRICKS,
}
"""Callers whose certificate proves this."""

FOUND = {**IDENTITIES, "two-names": WEB}
"""What Envoy's own filter finds in certificates: it asks every name. One of the mesh has one alone."""

FOUND_AT_STRANGERS = {**FOUND, "name-in-dns": WEB}
"""What it finds in those of an authority that is not the mesh's: names of DNS count there too."""


def issue_all(trusted: Authority, foreign: Authority) -> dict[str, Pair]:
    """A certificate for each caller; those that are not in IDENTITIES prove nothing."""
    web: list[x509.GeneralName] = [URI(WEB)]
    plain = {name: principal for name, principal in IDENTITIES.items() if name not in CONSTRAINTS}
    pairs = {name: trusted.issue(name, [URI(principal)]) for name, principal in plain.items()}
    return pairs | {
        "nul": trusted.issue("nul", [URI(f"{WEB}\0.evil")]),
        "no-names": trusted.issue("no-names", []),
        "dns-only": trusted.issue("dns-only", [DNS("td.test")]),
        "subject-only": trusted.issue("subject-only", [], subject=WEB),
        "two-names": trusted.issue("two-names", [*web, URI(IDENTITIES["other"])]),
        "wrong-usage": trusted.issue("wrong-usage", web, usage=ExtendedKeyUsageOID.SERVER_AUTH),
        "expired": trusted.issue("expired", web, since=timedelta(days=-2), until=timedelta(days=-1)),
        "early": trusted.issue("early", web, since=timedelta(hours=5)),
        "foreign": foreign.issue("foreign", web),
        "signed-by-a-workload": issue_by_leaf(trusted),
        "name-in-dns": trusted.issue("name-in-dns", [DNS(WEB)]),
        "name-in-mail": trusted.issue("name-in-mail", [x509.RFC822Name("web@td.test")], subject=WEB),
        **{name: issue_below(trusted, name, limits) for name, limits in CONSTRAINTS.items()},
    }


NUMBER = x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
CONSTRAINTS = {
    "kept-inside": x509.NameConstraints([URI("td.test")], None),
    "kept-elsewhere": x509.NameConstraints([URI("elsewhere.test")], None),
    "kept-to-subdomains": x509.NameConstraints([URI(".td.test")], None),
    "kept-out": x509.NameConstraints(None, [URI("td.test")]),
    "kept-by-an-unknown-form": x509.NameConstraints([NUMBER], None),
}
"""What a CA below ours may speak for; each of them signs for WEB."""


def issue_below(trusted: Authority, name: str, limits: x509.NameConstraints) -> Pair:
    """A certificate for WEB by a CA with these constraints, with the chain."""
    below = Authority(trusted.folder, f"ca-{name}", above=trusted, constraints=limits)
    names: list[x509.GeneralName] = [URI(WEB)]
    return below.issue(name, names if limits.permitted_subtrees != [NUMBER] else [*names, NUMBER])


def issue_by_leaf(trusted: Authority) -> Pair:
    """A certificate for WEB that a workload has signed with its own, which is no authority's."""
    signer = trusted.issue("signer", [URI(IDENTITIES["other"])])
    above = x509.load_pem_x509_certificate(signer.certificate.read_bytes())
    signing = load_pem_private_key(signer.key.read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).issuer_name(above.subject)
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([URI(WEB)]), critical=True)
    pair = Pair(trusted.folder / "by-leaf.pem", trusted.folder / "by-leaf.key")
    leaf = builder.sign(signing, SHA256()).public_bytes(Encoding.PEM)
    pair.certificate.write_bytes(leaf + above.public_bytes(Encoding.PEM))
    pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pair
