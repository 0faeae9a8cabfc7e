"""Formats of access logs: what we let pass the real Envoy takes and logs, what we refuse it refuses."""

from __future__ import annotations

import asyncio
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from meshext.envoy.process import EnvoyProcess
from meshext.sandbox.client import send
from meshext_controlplane.model.log_format import OPERATORS, check_log_format

pytestmark = pytest.mark.envoy

TYPE = "type.googleapis.com/envoy."
FORMS = (
    *("%{0}%", "%{0}()%", "%{0}({1})%", "%{0}({1}):5%"),
    *("%{0}:5%", "%{0}(~,~)%", "%{0}(a:b:c:d)%", "%{0}(%En)%"),
)
ODD = (
    *("100%", "%", "%%", "%%%", "%start_time%", "%A B%", "%REQ(a%", "%REQ(a)b%", "%NOPE%", "%REQ(a\nb)%"),
    *("a%%b%PROTOCOL%", "%PROTOCOL%%%", "%PROTOCOL%PROTOCOL%", "%REQ(a)%%RESP(b)%", "%PROTOCOL%\n%"),
    *("%REQ(:authority)%", "%REQ(a?b)%", "%REQ(a?b?c)%", "%REQ(a?)%", "%REQ(?a)%", "%REQ(a\u00e9)%"),
    *("%FILTER_STATE(a:FIELD)%", "%FILTER_STATE(a:TYPED)%", "%FILTER_STATE(a:typed)%", "%PATH(:ORIG)%"),
    *("%METADATA(ROUTE)%", "%METADATA(route:a)%", "%COMMON_DURATION(a:b)%", "%COMMON_DURATION(a:b:s)%"),
    *("%REQUESTED_SERVER_NAME(HOST_FIRST:ORIG)%", "%REQUESTED_SERVER_NAME(SNI_FIRST:X)%", "%REQ(a):99999%"),
)
OWN_LANGUAGE = ("CEL", "COALESCE", "METADATA", "PATH", "_WITHOUT_PORT", "COMMON_DURATION", "FILTER_STATE")
"""Operators of whose argument we ask more than Envoy."""

UNREAD = re.compile(
    r"%(CEL|COALESCE)\((?!request\.path\)|\{\"operators\": \[\"REQUESTED_SERVER_NAME\"\]\}\)).+"
)
"""Arguments in a language of their own, which we do not read."""


def taken(text: str) -> bool:
    try:
        return check_log_format(text) == text
    except ValueError:
        return False


def listener(name: str, text: str, folder: Path) -> dict[str, Any]:
    log = {
        "@type": f"{TYPE}extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(folder / "log.txt") if name == "all" else "/dev/null",
        "log_format": {"text_format_source": {"inline_string": text}},
    }
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    manager = {
        "@type": f"{TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "a",
        "access_log": [{"name": "file", "typed_config": log}],
        "route_config": {"virtual_hosts": [{"name": "a", "domains": ["*"], "routes": [answer]}]},
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"{TYPE}extensions.filters.http.router.v3.Router"}}
        ],
    }
    return {
        "@type": f"{TYPE}config.listener.v3.Listener",
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }


def bootstrap(texts: list[str], folder: Path) -> str:
    """Every text in a listener of its own, and one with all that we let pass."""
    whole = " ".join(text for text in texts if taken(text) and not UNREAD.match(text))
    listeners = [listener(str(number), text, folder) for number, text in enumerate(texts)]
    resources = [*listeners, listener("all", f"<{whole}>\n", folder)]
    (folder / "lds.json").write_text(json.dumps({"version_info": "1", "resources": resources}))
    source = {"path_config_source": {"path": str(folder / "lds.json")}, "resource_api_version": "V3"}
    return json.dumps({"node": {"id": "a", "cluster": "a"}, "dynamic_resources": {"lds_config": source}})


def mix(seed: int, count: int) -> list[str]:
    """Texts of pieces by chance."""
    chance = random.Random(seed)
    pieces = ["%", "%%", "(", ")", ":", ":7", "a", " ", "?", "REQ", "%REQ(a)%", "%PROTOCOL%", *OPERATORS]
    return ["".join(chance.choices(pieces, k=chance.randint(1, 7))) for _ in range(count)]


def test_envoy_says_the_same(tmp_path: Path) -> None:
    forms = [form.format(name, each.example) for name, each in OPERATORS.items() for form in FORMS]
    texts = [*dict.fromkeys([*forms, *ODD, *mix(1, 300)])]

    async def run() -> None:
        text = bootstrap(texts, tmp_path)
        async with await EnvoyProcess.start(
            text, tmp_path / "run", concurrency=1, log_level="critical"
        ) as envoy:
            dump: Any = await envoy.admin.get_json("/config_dump?resource=dynamic_listeners")
            errors = [each["error_state"] for each in dump["configs"] if "error_state" in each]
            refused = {each["failed_configuration"]["name"]: each["details"] for each in errors}
            for number, each in enumerate(texts):
                strict = not taken(each) and any(name in each for name in OWN_LANGUAGE)
                if strict or UNREAD.match(each):
                    continue
                assert taken(each) is (str(number) not in refused), (each, refused.get(str(number)))
            assert len(refused) > 300
            assert "all" not in refused, refused["all"]
            _, port = (await envoy.admin.listeners())["all"]
            await asyncio.to_thread(send, f"http://127.0.0.1:{port}", "GET", "/logged")

    asyncio.run(run())
    assert (tmp_path / "log.txt").read_text().startswith("<")
