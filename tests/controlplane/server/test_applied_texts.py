"""What `meshext apply -f -` reads is bytes, as a file's, whatever the locale says."""

from __future__ import annotations

import io
import sys

import pytest

from meshext.errors import ConfigError
from meshext_controlplane.cli.apply import read_texts


def given(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
    return [text.content for text in read_texts(["-"])]


def test_a_mark_of_byte_order_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert given(monkeypatch, "\ufeffkind: Überall".encode()) == ["kind: Überall"]


def test_what_is_not_utf_8_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as raised:
        given(monkeypatch, b"kind: A\nname: \xff\n")
    assert str(raised.value) == "standard input: line 2: is not UTF-8; save it as UTF-8"
