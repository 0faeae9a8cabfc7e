"""base64 and hmac against CPython's."""

import base64 as real_base64
import hmac as real_hmac

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshext_wasm.library import base64, hashlib, hmac
from tests.wasm.library.comparing import outcome

TEXTS = st.text("AQgz09+/-_= \n\xe9", max_size=12) | st.binary(max_size=9).map(
    lambda data: real_base64.b64encode(data).decode()
)


def same_outcome(ours: tuple[type, object], real: tuple[type, object]) -> None:
    """Classes of the library have the names of CPython's."""
    assert (ours[0].__name__, ours[1]) == (real[0].__name__, real[1])


@given(st.binary(max_size=50))
def test_encoding(data: bytes) -> None:
    for name in ("b64encode", "urlsafe_b64encode", "standard_b64encode", "b32encode", "b16encode"):
        assert getattr(base64, name)(data) == getattr(real_base64, name)(data)
    assert base64.b64encode(data, b"!?") == real_base64.b64encode(data, b"!?")


@given(TEXTS, st.booleans())
@example("====", True)
@example("A===", True)
@example("AA==AA==", True)
@example("AA==AA==", False)
@example("AA=A", True)
@example("AAAA=", True)
@example("AAAA", True)
def test_decoding(text: str, strict: bool) -> None:
    same_outcome(
        outcome(lambda: base64.b64decode(text, validate=strict)),
        outcome(lambda: real_base64.b64decode(text, validate=strict)),
    )
    same_outcome(outcome(base64.urlsafe_b64decode, text), outcome(real_base64.urlsafe_b64decode, text))
    data = text.encode("latin-1")
    same_outcome(outcome(base64.b64decode, data, b"-_"), outcome(real_base64.b64decode, data, b"-_"))


@given(st.text("0aAf9g", max_size=4), st.booleans())
def test_base16(text: str, fold: bool) -> None:
    same_outcome(outcome(base64.b16decode, text, fold), outcome(real_base64.b16decode, text, fold))


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("size", [0, 20, 63, 64, 65, 128, 129])
def test_hmac(name: str, size: int) -> None:
    key, message = b"k" * size, b"the message" * 20
    ours, real = hmac.new(key, message, name), real_hmac.new(key, message, name)
    assert (ours.hexdigest(), ours.name) == (real.hexdigest(), real.name)
    ours.update(b"more")
    real.update(b"more")
    assert ours.digest() == real.digest()


def test_hmac_by_a_function() -> None:
    assert hmac.new(b"k", b"m", hashlib.sha256).hexdigest() == real_hmac.new(b"k", b"m", "sha256").hexdigest()


@given(st.text("ab\xe9", max_size=3), st.text("ab\xe9", max_size=3))
def test_compare_digest(left: str, right: str) -> None:
    same_outcome(outcome(hmac.compare_digest, left, right), outcome(real_hmac.compare_digest, left, right))
    data, other = left.encode(), right.encode()
    assert hmac.compare_digest(data, other) == real_hmac.compare_digest(data, other)
