"""Expressions in CEL: what we let pass the real Envoy takes, and what we refuse it refuses."""

from __future__ import annotations

import asyncio
import json
import random
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from meshext.envoy.process import EnvoyProcess
from meshext.errors import EnvoyError
from meshext_controlplane.model.cel import FUNCTIONS, METHODS, check_cel
from tests.controlplane.translation.test_log_formats import TYPE, listener

GOOD = (
    *("request.path", "request.headers['x'] + 'y'", "nope.x", "a.b.c.d", ".a", "request['path']", "a.if"),
    *("request.path == 'a' ? 1 : 2", "a ? b : c ? d : e", "a && b || !c", "!!a", "--1", "1 < 2 < 3", "- 1"),
    *(
        "has(request.headers.x)",
        "size(request.path) > 1",
        "a.b.size()",
        "1.size()",
        "request.time.getHours()",
    ),
    *("request.path.matches('a+')", "request.path.startsWith('/a')", "startsWith(a, b)", "1 in [1, 2,]"),
    *("{'a': 1, b: c,}.a", "[]", "[1,]", "{}", "1u + 0xFFu", "1e3 + .5 + 5.5", "b'a' + B\"b\"", "r'\\d'"),
    *("'''a\nb'''", "'\\x41\\u0041\\U0001F600\\n\\101'", "'é'", "a // b", "// c\na", "9223372036854775807"),
    *("null == a", "true || false", "re.extract('a', 'b', 'c')", "duration('1s') < a", "type(1)", "dyn(a).b"),
    *("a" + ".b" * 24, "+".join("1" * 25), "&&".join(["a.b == 'c'"] * 60), "a.matches('^/[a-z]+/[^/]+/.*$')"),
    *("18446744073709551615u", "1U", "'a\\'b'", '"a\\"b"', "br'a'", "a[b][c].d", "((((((1))))))", "1/0"),
)
BAD = (
    *(
        "",
        " ",
        "-",
        "in",
        "if",
        "a.in",
        "a b",
        "request.path ==",
        "a.b(",
        "a.",
        "a[",
        "(a",
        "a)",
        "[1",
        "{1}",
    ),
    *("'a", "'a\nb'", "'\\q'", "'\\400'", "'\\ud800'", "b'\\u0041'", "é", "a # b", "a = b", "a & b", "1 2"),
    *(
        "foo(1)",
        "a.upper()",
        "string(1)",
        "x.all(y, y)",
        "[1].exists(x, x > 1)",
        "x.map(y, y)",
        "math.abs(1)",
    ),
    *(
        "has(x)",
        "has(x[1])",
        "has()",
        "size()",
        "size(a, b)",
        "a.size(1)",
        "a.matches()",
        "matches(a)",
        "!-a",
    ),
    *("a.matches('[a')", "matches(a, '(')", "a.matches('(?=a)')", "9223372036854775808", "1e", "0x", "1uu"),
    *(
        "18446744073709551616u",
        "a ? b",
        "a ? : b",
        "f(,)",
        "size(a,)",
        "u'a'",
        "a.?b",
        "a..b",
    ),
    *("a{}", "1.a.", "''''", "'a' 'b'", "cel.bind(x, 1, x)", "x.optMap(y, y)"),
)
STRICTER = (
    *(
        "-9223372036854775808",
        "(" * 20 + "1" + ")" * 20,
        "[,]",
        "google.rpc.Status{code: 1}",
        "a.`b`",
        "a" + ".b" * 28,
    ),
    *("a.matches('" + ".*" * 12 + "')", "[[" * 10 + "]]" * 10, "+".join("1" * 28)),
)
"""What Envoy takes and we do not."""

PIECES = (
    *(
        "a",
        "request",
        ".",
        ".b",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ",",
        ":",
        "?",
        "+",
        "-",
        "!",
        "==",
        "in",
        "&&",
    ),
    *(
        "1",
        "2u",
        ".5",
        "'t'",
        "size",
        "has",
        "matches",
        "re.extract",
        "true",
        "null",
        " ",
        "[1]",
        "(a)",
        "if",
    ),
)


def taken(text: str) -> bool:
    try:
        return check_cel(text) == text
    except ValueError:
        return False


def mixed(seed: int, count: int) -> list[str]:
    """Pieces by chance, and good expressions in which one is left out, doubled, or another."""
    chance = random.Random(seed)
    texts = ["".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(count)]
    for _ in range(count):
        text = chance.choice(GOOD)
        at = chance.randrange(len(text))
        texts.append(text[:at] + chance.choice(["", text[at] * 2, chance.choice(PIECES)]) + text[at + 1 :])
    return texts


def calls() -> list[str]:
    """Every function, and every method, with up to four arguments."""
    given = [", ".join(["a"] * count) for count in range(5)]
    return [
        *(f"{name}({each})" for name in (*FUNCTIONS, "string", "foo") for each in given),
        *(f"a.{name}({each})" for name in (*METHODS, "int", "foo") for each in given),
    ]


def to_listener(name: str, expression: str, folder: Path) -> dict[str, Any]:
    made = listener(name, "%PROTOCOL%", folder)
    (chain,) = made["filter_chains"]
    (log,) = chain["filters"][0]["typed_config"]["access_log"]
    kind = f"{TYPE}extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    config = {"name": "cel", "typed_config": {"@type": kind, "expression": expression}}
    log["filter"] = {"extension_filter": config}
    return made


async def look(envoy: EnvoyProcess, count: int) -> list[dict[str, Any]]:
    """What became of so many listeners; Envoy tells nobody when it has read them all."""
    async with asyncio.timeout(100):
        while True:
            with suppress(EnvoyError):
                dump: Any = await envoy.admin.get_json("/config_dump?resource=dynamic_listeners")
                if len(configs := dump.get("configs", ())) >= count:
                    return list(configs)
            await asyncio.sleep(0.1)


def test_the_lists_are_what_they_say() -> None:
    assert [each for each in GOOD if not taken(each)] == []
    assert [each for each in (*BAD, *STRICTER) if taken(each)] == []


@pytest.mark.envoy
def test_envoy_says_the_same(tmp_path: Path) -> None:
    texts = [*dict.fromkeys([*GOOD, *BAD, *STRICTER, *calls(), *mixed(1, 150)])]
    listeners = [to_listener(f"{number}", text, tmp_path) for number, text in enumerate(texts)]
    (tmp_path / "lds.json").write_text(json.dumps({"version_info": "1", "resources": listeners}))
    source = {"path_config_source": {"path": f"{tmp_path}/lds.json"}, "resource_api_version": "V3"}
    node = {"id": "a", "cluster": "a"}
    bootstrap = json.dumps({"node": node, "dynamic_resources": {"lds_config": source}})

    async def run() -> dict[str, str]:
        async with await EnvoyProcess.start(
            bootstrap, tmp_path / "run", concurrency=1, log_level="critical"
        ) as envoy:
            configs = await look(envoy, len(texts))
            errors = [each["error_state"] for each in configs if "error_state" in each]
            return {each["failed_configuration"]["name"]: each["details"] for each in errors}

    refused = asyncio.run(run())
    differ = {
        text: refused.get(f"{number}", "taken")
        for number, text in enumerate(texts)
        if taken(text) is (f"{number}" in refused) and text not in STRICTER
    }
    assert differ == {}
    assert 150 < len(refused) < len(texts) - 80


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("request.path =", "'=' at character 14 is nothing in CEL"),
        ("request.path ==", "it ends at character 16; write a value there"),
        ("request.pth.startWith('/')", "a value has no method 'startWith'; write startsWith"),
        ("a.exists(x, x)", "Envoy goes through no lists"),
        ("size(a, b)", "size has 2 arguments; write 1"),
        ("a.matches('[')", "is no expression"),
        ("x" * 4097, "has 4097 characters; write at most 4096"),
        ("(" * 500, "is nested more than 12 deep"),
        ("[" * 4000, "is nested more than 12 deep"),
    ],
)
def test_what_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        check_cel(text)
