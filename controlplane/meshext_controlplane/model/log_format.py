"""Formats of access logs: text with Envoy's command operators, such as `%REQ(:METHOD)%`.

The table is that of Envoy 1.40, asked one by one (`e2e/test_log_formats.py` asks again): an operator that it
does not know, or an argument that it does not take, makes it refuse the whole listener.
https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/advanced/substitution_formatter
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator

from meshext.config.wording import nearest
from meshext_controlplane.model.cel import check_cel

_COMMAND = re.compile(r"%([A-Z0-9_]+)(?:\((.*?)\))?(?::([0-9]{1,19}))?%")
_DEEPEST = 16  # objects within each other


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: what its argument looks like ("" where it takes none), and what may be left out.

    `example` is an argument that it takes; `length` is whether `:N` may cut what it gives.
    """

    argument: str = ""
    example: str = ""
    optional: bool = False
    length: bool = False


_NOTHING = Operator()
_TIME = Operator(r"(?!.*%[-_0^#]*[1-9]*[EO]?n).*", "%Y-%m-%d", optional=True)
_NAME = r":?[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEADER = Operator(rf"(?:{_NAME})(?:\?(?:{_NAME})?)?|\?{_NAME}", "X-REQUEST-ID", length=True)
_STATE = Operator(r"[^:]+(?::(?:PLAIN|TYPED|FIELD:[^:]+))?", "key:PLAIN", length=True)
_ANY = Operator(r".+", "name", length=True)
_KEYS = Operator(r".+", "filter:key")
_MASK = Operator(r"[0-9]{1,3}", "24", optional=True)
_COMMON = Operator(r"[^:]+:[^:]+(?::(?:ms|us|ns))?", "DS_RX_BEG:DS_TX_END:ms")
_METADATA = Operator(
    r"(?:ROUTE|CLUSTER|DYNAMIC|UPSTREAM_HOST|LISTENER|LISTENER_FILTER_CHAIN|VIRTUAL_HOST)(?::.*)?",
    "ROUTE:filter:key",
    length=True,
)
_PATH = Operator(r"(?:WQ|NQ)?(?::(?:ORIG|PATH|ORIG_OR_PATH))?", "NQ", optional=True, length=True)
_SERVER_NAME = Operator(
    r"(?:SNI_ONLY|SNI_FIRST|HOST_FIRST)(?::(?:ORIG|HOST|ORIG_OR_HOST))?", "SNI_FIRST", optional=True
)

_PLAIN = (
    "ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID "
    "CONNECTION_TERMINATION_DETAILS CUSTOM_FLAGS DOWNSTREAM_CX_RTT "
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT "
    "DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_DIRECT_LOCAL_ADDRESS "
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_DIRECT_LOCAL_PORT "
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HANDSHAKE_DURATION "
    "DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS "
    "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_LOCAL_DNS_SAN "
    "DOWNSTREAM_LOCAL_EMAIL_SAN DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_OTHERNAME_SAN "
    "DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT "
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1 DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256 "
    "DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_PEER_EMAIL_SAN "
    "DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_IP_SAN "
    "DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER_SERIAL "
    "DOWNSTREAM_PEER_OTHERNAME_SAN DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN "
    "DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_GROUP "
    "DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION DOWNSTREAM_TRANSPORT_FAILURE_REASON "
    "DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME "
    "GRPC_STATUS_NUMBER HOSTNAME LISTENER_NAME LOCAL_REPLY_BODY PACKETS_RETRANSMITTED PROTOCOL "
    "REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_DURATION "
    "RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES "
    "RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US "
    "SPAN_ID STREAM_ID TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID UNIQUE_ID UPSTREAM_CLUSTER "
    "UPSTREAM_CLUSTER_RAW UPSTREAM_CONNECTION_ID UPSTREAM_CONNECTION_IDS_ATTEMPTED "
    "UPSTREAM_CONNECTION_POOL_READY_DURATION UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED "
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_HEADER_BYTES_RECEIVED "
    "UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST UPSTREAM_HOSTS_ATTEMPTED "
    "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT UPSTREAM_HOST_NAME UPSTREAM_HOST_NAMES_ATTEMPTED "
    "UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS "
    "UPSTREAM_LOCAL_CLOSE_REASON UPSTREAM_LOCAL_DNS_SAN UPSTREAM_LOCAL_IP_SAN UPSTREAM_LOCAL_PORT "
    "UPSTREAM_LOCAL_URI_SAN UPSTREAM_PEER_CERT UPSTREAM_PEER_DNS_SAN UPSTREAM_PEER_IP_SAN "
    "UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL "
    "UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID UPSTREAM_REMOTE_PORT "
    "UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_SERVER_NAME UPSTREAM_TLS_CIPHER UPSTREAM_TLS_GROUP "
    "UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON "
    "UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME "
)

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        **dict.fromkeys(_PLAIN.split(), _NOTHING),
        **dict.fromkeys("REQ RESP TRAILER REQUEST_HEADER RESPONSE_HEADER RESPONSE_TRAILER".split(), _HEADER),
        "STREAM_INFO_REQ": _HEADER,
        **dict.fromkeys("START_TIME START_TIME_LOCAL EMIT_TIME EMIT_TIME_LOCAL".split(), _TIME),
        **dict.fromkeys("DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_CERT_V_END".split(), _TIME),
        **dict.fromkeys("UPSTREAM_PEER_CERT_V_START UPSTREAM_PEER_CERT_V_END".split(), _TIME),
        **dict.fromkeys(
            "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT".split(), _MASK
        ),
        **dict.fromkeys(
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT".split(), _MASK
        ),
        "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT": _MASK,
        "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": _MASK,
        **dict.fromkeys("FILTER_STATE UPSTREAM_FILTER_STATE".split(), _STATE),
        **dict.fromkeys("DYNAMIC_METADATA ENVIRONMENT QUERY_PARAM".split(), _ANY),
        **dict.fromkeys("CLUSTER_METADATA UPSTREAM_METADATA".split(), _KEYS),
        "CEL": Operator(r".+", "request.path", length=True),
        "COALESCE": Operator(r"\{.+\}", '{"operators": ["REQUESTED_SERVER_NAME"]}', length=True),
        "COMMON_DURATION": _COMMON,
        "GRPC_STATUS": Operator(r"CAMEL_STRING|SNAKE_STRING|NUMBER", "NUMBER", optional=True),
        "METADATA": _METADATA,
        "PATH": _PATH,
        "QUERY_PARAMS": Operator(r"ORIG|DECODED", "ORIG", optional=True, length=True),
        "REQUESTED_SERVER_NAME": _SERVER_NAME,
        "RESPONSE_CODE_DETAILS": Operator(r".+", "ALLOW_WHITESPACES", optional=True),
    }
)
"""Every operator."""

_ELSEWHERE = {"REQ_WITHOUT_QUERY": "PATH(NQ)"}
"""What needs an extension in Envoy, and what says the same without."""


def check_log_format(text: str) -> str:
    """The format; ValueError names the first operator that Envoy would refuse, and what to write instead."""
    at = 0
    while (at := text.find("%", at)) >= 0:
        if text.startswith("%%", at):
            at += 2
            continue
        found = _COMMAND.match(text, at)
        if found is None:
            raise ValueError(_tell_stray(text[at + 1 : at + 41]))
        _check(*found.groups())
        at = found.end()
    return text


LogText = Annotated[str, AfterValidator(check_log_format)]


def parse_json_format(text: str) -> dict[str, Any]:
    """A format as a JSON object: its texts, at any depth, are formats. ValueError."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'is no JSON ({error}); write {{"code": "%RESPONSE_CODE%"}}') from None
    if not isinstance(given, dict):
        raise ValueError('is no JSON object; write {"code": "%RESPONSE_CODE%"}')
    for value in _values(given, _DEEPEST):
        if isinstance(value, str):
            check_log_format(value)
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{json.dumps(value)} can not be logged; write text, with operators in it")
    return given


def _values(given: Any, depth: int) -> Iterator[Any]:
    if isinstance(given, dict | list):
        if not depth:
            raise ValueError(f"has more than {_DEEPEST} levels; write fewer")
        for each in given.values() if isinstance(given, dict) else given:
            yield from _values(each, depth - 1)
    else:
        yield given


def _check(name: str, argument: str | None, length: str | None) -> None:
    operator = OPERATORS.get(name)
    if operator is None:
        raise ValueError(f"Envoy has no operator %{name[:60]}%; {_hint(name)}")
    if not operator.argument:
        if argument or length:
            raise ValueError(f"%{name}% takes neither argument nor length; write %{name}%")
        return
    example = f"write for example %{name}({operator.example})%"
    if not argument and not operator.optional:
        raise ValueError(f"%{name}% needs an argument; {example}")
    if argument and not re.fullmatch(operator.argument, argument):
        raise ValueError(f"%{name}% does not take the argument {argument[:60]!r}; {example}")
    if argument and name == "CEL":
        check_cel(argument)
    if length and not operator.length:
        raise ValueError(f"%{name}% takes no length; leave :{length} out")


def _tell_stray(rest: str) -> str:
    word = re.match(r"[A-Za-z0-9_]*", rest)
    meant = nearest(word[0].upper(), OPERATORS) if word and len(word[0]) > 1 else None
    hint = f"write %{_shown(meant)}%, or %% for a percent sign" if meant else "write %% for a percent sign"
    return f"%{rest}: no operator of Envoy begins here; {hint}"


def _hint(name: str) -> str:
    meant = _ELSEWHERE.get(name) or nearest(name, OPERATORS)
    shown = _ELSEWHERE.get(name) or (_shown(meant) if meant else "")
    return f"write %{shown}%, or %% for a percent sign" if shown else "write %% for a percent sign"


def _shown(name: str) -> str:
    operator = OPERATORS[name]
    return f"{name}({operator.example})" if operator.argument and not operator.optional else name
