"""What a service is asked to do, as one line of JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.errors import OptionError
from meshext.hosts.options import ServiceOptions, TlsFiles


@given(
    st.builds(
        ServiceOptions,
        specs=st.lists(st.text()).map(tuple),
        configs=st.lists(st.text()).map(tuple),
        workers=st.integers(1, 256),
        drain=st.floats(0, 1e6),
        tls=st.none() | st.builds(TlsFiles, cert=st.text(), key=st.text(), client_ca=st.text()),
        watch=st.booleans(),
    )
)
def test_json_keeps_everything_in_one_line(options: ServiceOptions) -> None:
    text = options.to_json()
    assert "\n" not in text
    assert ServiceOptions.from_json(text) == options


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"log_level": "loud"}, "--log-level 'loud': write debug, info, warning or error"),
        ({"log_format": "xml"}, "--log-format 'xml': write text or json"),
        ({"workers": 0}, "--workers 0: write a number from 1 to 256"),
        ({"drain": -1.0}, "--drain -1.0: write seconds, 0 or more"),
        ({"drain": float("nan")}, "--drain nan: write seconds, 0 or more"),
        ({"max_in_flight": 0}, "--max-in-flight 0: write a number of exchanges, at least 1"),
        ({"load_limit": 0.0}, "--load-limit 0.0: write seconds, more than 0"),
    ],
)
def test_value_without_meaning_is_refused_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError) as refused:
        ServiceOptions(specs=(), **given)
    assert str(refused.value) == said
