"""`python -m meshext_filters.ab_routing`: tokens for testers."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.testing import Harness
from meshext_filters.ab_routing import ABRouting, make_override
from meshext_filters.ab_routing.__main__ import main
from meshext_filters.ab_routing.overrides import Override, read_override

KEY = "k" * 40
CONFIG = {
    "keys": [KEY],
    "testers": {"query": "try"},
    "experiments": [
        {"name": "cart", "variants": {"a": 100, "b": 0}},
        {"name": "list", "variants": {"a": 100, "b": 0}, "layer": "shop", "share": 50},
        {"name": "menu", "variants": {"a": 100, "b": 0}, "layer": "shop", "share": 50},
    ],
}
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?", fullmatch=True)


def test_a_token_is_good_for_the_filter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", json.dumps(CONFIG), "cart=b", "menu=b", "--hours", "1"]) == 0
    out, err = capsys.readouterr()
    assert err == "good for 1 hours, in the header x-ab-override or the query parameter try\n"
    upstream = Harness(ABRouting, CONFIG).request(headers={"x-ab-override": out.strip()}).upstream
    assert upstream is not None
    assert [upstream.headers.get(f"x-ab-{name}") for name in ("cart", "list", "menu")] == ["b", None, "b"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["cart=c"],
            "'cart=c' is not in the configuration; there are cart=a, cart=b, list=a, list=b, menu=a, menu=b",
        ),
        (["cart"], "'cart': write EXPERIMENT=VARIANT"),
        (["list=b", "menu=b"], "'menu=b': nobody is in two experiments of one layer; leave one out"),
        (["cart=a", "cart=b"], "'cart=b': nobody is in two experiments of one layer; leave one out"),
        (["cart=b", "--hours", "0"], "--hours 0: write hours above 0, at most 8784"),
        (["cart=b", "--hours", "nan"], "--hours nan: write hours above 0, at most 8784"),
    ],
)
def test_what_is_worth_nothing_is_not_made(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", json.dumps(CONFIG), *arguments]) == 2
    assert capsys.readouterr() == ("", f"{said}\n")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {**CONFIG, "keys": []},
            "keys is empty in the configuration, so it believes no token; write one there",
        ),
        ({**CONFIG, "experiments": []}, "--config: experiments is empty; write such as [{name: checkout, "),
        ("nowhere.yaml", "nowhere.yaml: no such file"),
    ],
)
def test_a_configuration_that_is_wrong(config: object, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", config if isinstance(config, str) else json.dumps(config), "cart=b"]) == 2
    assert capsys.readouterr().err.startswith(said)


@given(st.dictionaries(NAMES, NAMES, min_size=1, max_size=5), st.integers(1, 10**11))
def test_what_is_signed_is_read(choices: dict[str, str], expires: int) -> None:
    token = make_override(choices, key=KEY, expires=expires)
    assert read_override(token, keys=["other" * 8, KEY], now=expires - 1) == Override(choices)
    assert read_override(token, keys=[KEY], now=expires) == Override(problem="expired")
    assert read_override(token, keys=["other" * 8], now=0) == Override(problem="signature")


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_else_is(text: str, mac: str) -> None:
    assert read_override(f"{text}.{mac}", keys=[KEY], now=int(time.time())).choices == {}
