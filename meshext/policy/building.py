"""From a term of a policy to a check: values read, aliases of the trust domain put in."""

from __future__ import annotations

from meshext.policy.checks import (
    AccountCheck,
    AddressCheck,
    Check,
    ClaimCheck,
    HeaderCheck,
    HostCheck,
    MetadataCheck,
    MethodCheck,
    NamespaceCheck,
    PathCheck,
    PortCheck,
    PrincipalCheck,
    RequestPrincipalCheck,
    SniCheck,
    TrustDomainCheck,
)
from meshext.policy.model import Field, Term
from meshext.policy.patterns import (
    SPIFFE,
    Strings,
    build_strings,
    fold,
    is_template,
    namespace_glob,
    parse_account,
    parse_block,
    template_regex,
    trust_domain_regex,
)
from meshext.policy.trust import TrustDomains


def build_check(term: Term, trust: TrustDomains, namespace: str) -> Check:
    """The term made ready; `namespace` is the policy's, for service accounts that name none.

    ValueError for what no document leads to: an address, a port or a key that is none.
    """
    check_key(term)
    values = term.values
    match term.field:
        case Field.HOSTS:
            return HostCheck(term, build_strings(tuple([fold(value) for value in values])))
        case Field.METHODS:
            return MethodCheck(term, build_strings(values))
        case Field.PATHS:
            plain = tuple([value for value in values if not is_template(value)])
            templates = [template_regex(value) for value in values if is_template(value)]
            return PathCheck(term, build_strings(plain), tuple(templates))
        case Field.PORTS:
            return PortCheck(term, frozenset([parse_port(value) for value in values]))
        case Field.IP_BLOCKS | Field.REMOTE_IP_BLOCKS | Field.DESTINATION_IP:
            return AddressCheck(term, tuple([parse_block(value) for value in values]))
        case Field.HEADERS:
            return HeaderCheck(term, term.key[0], build_strings(values))
        case Field.SNI:
            return SniCheck(term, build_strings(values))
        case Field.CLAIMS:
            return ClaimCheck(term, term.key, build_strings(values))
        case Field.REQUEST_PRINCIPALS:
            return RequestPrincipalCheck(term, tuple([split_request_principal(value) for value in values]))
        case Field.METADATA:
            listed = tuple([value.strip("[]") for value in values if is_listed(value)])
            plain = tuple([value for value in values if not is_listed(value)])
            return MetadataCheck(term, build_strings(plain), build_strings(listed))
        case _:
            return build_identity_check(term, trust, namespace)


def check_key(term: Term) -> None:
    """Refuse a term without the names that its field needs."""
    wanted = {Field.HEADERS: 1, Field.METADATA: 2}.get(term.field)
    if wanted is not None and len(term.key) != wanted:
        raise ValueError(f"key has {len(term.key)} parts, and {term.field.value} needs {wanted}")


def parse_port(value: str) -> int:
    """The number of a port."""
    if not (value.isascii() and value.isdecimal()) or len(value) > 5:
        raise ValueError(f"{value!r} is no port")
    return int(value)


def build_identity_check(term: Term, trust: TrustDomains, namespace: str) -> Check:
    """A term about the principal of the client's certificate."""
    match term.field:
        case Field.NAMESPACES:
            return NamespaceCheck(term, tuple([namespace_glob(value) for value in term.values]))
        case Field.SERVICE_ACCOUNTS:
            full = [qualify_account(value, namespace) for value in term.values]
            return AccountCheck(term, tuple([parse_account(value) for value in full]))
        case Field.TRUST_DOMAINS:
            domains = trust.expand_domains(term.values)
            prefixes = [trust_prefix(domain) for domain in domains if "*" not in domain or domain == "*"]
            regexes = [trust_domain_regex(each) for each in domains if "*" in each and each != "*"]
            return TrustDomainCheck(term, tuple(prefixes), tuple(regexes))
        case _:
            return PrincipalCheck(term, principal_strings(trust.expand_principals(term.values)))


def principal_strings(values: tuple[str, ...]) -> Strings:
    """The alternatives with `spiffe://` put before what is exact or a prefix."""
    bare = build_strings(values)
    return Strings(
        frozenset([SPIFFE + value for value in bare.exact]),
        tuple([SPIFFE + value for value in bare.prefixes]),
        bare.suffixes,
        bare.present,
    )


def trust_prefix(domain: str) -> str:
    """What a principal of that trust domain begins with."""
    return SPIFFE if domain == "*" else f"{SPIFFE}{domain}/"


def qualify_account(account: str, namespace: str) -> str:
    """A service account with its namespace."""
    return account if "/" in account else f"{namespace}/{account}"


def is_listed(value: str) -> bool:
    """Whether a value of metadata is `[value]`."""
    return value.startswith("[") and value.endswith("]")


def split_request_principal(value: str) -> tuple[Strings, Strings]:
    """Issuer and subject of a request principal, split at the last slash (Istio's reading of each form)."""
    if value == "*":
        return build_strings(("*",)), build_strings(("*",))
    issuer, slash, subject = value.rpartition("/")
    if value.startswith("*"):
        if not slash:
            return build_strings(("*",)), build_strings((value,))
        return build_strings((issuer,)), exact_string(subject)
    if value.endswith("*"):
        if not slash:
            return build_strings((value,)), build_strings(("*",))
        return exact_string(issuer), build_strings((subject,))
    if not slash:
        return exact_string(value), exact_string("")
    return exact_string(issuer), exact_string(subject)


def exact_string(value: str) -> Strings:
    """That text and no other, whatever stars are in it."""
    return Strings(frozenset([value]), (), (), False)
