"""Hash functions against CPython's, with lengths around the borders of blocks."""

import binascii as real_binascii
import hashlib as real_hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshext_wasm.library import binascii, hashlib
from tests.wasm.library.comparing import outcome

NAMES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]


@pytest.mark.parametrize("name", NAMES)
def test_every_length_around_a_block(name: str) -> None:
    data = random.Random(1).randbytes(270)
    for size in [0, 1, 55, 56, 57, 63, 64, 65, 111, 112, 113, 127, 128, 129, 256]:
        ours, real = hashlib.new(name, data[:size]), real_hashlib.new(name, data[:size])
        assert ours.hexdigest() == real.hexdigest()
    assert (ours.name, ours.digest_size, ours.block_size) == (name, real.digest_size, real.block_size)


@settings(max_examples=40)
@given(st.sampled_from(NAMES), st.lists(st.binary(max_size=150), max_size=5))
def test_pieces(name: str, pieces: list[bytes]) -> None:
    ours, real = getattr(hashlib, name)(), getattr(real_hashlib, name)()
    for piece in pieces:
        ours.update(piece)
        real.update(piece)
        assert ours.copy().digest() == real.digest()


@settings(max_examples=40)
@given(st.sampled_from(NAMES), st.binary(max_size=150), st.binary(max_size=150))
def test_what_a_hash_begins_with_is_in_it_and_in_its_copies(name: str, first: bytes, more: bytes) -> None:
    ours, real = hashlib.new(name, first), real_hashlib.new(name, first)
    copies = ours.copy(), real.copy()
    assert ours.digest() == ours.digest() == real.digest()
    for each in (ours, real):
        each.update(more)
    assert ours.digest() == real.digest()
    assert copies[0].digest() == copies[1].digest()


def test_an_unknown_name() -> None:
    assert outcome(hashlib.new, "whirl") == outcome(real_hashlib.new, "whirl")


@given(st.binary(max_size=40))
def test_hexadecimal(data: bytes) -> None:
    assert binascii.hexlify(data) == real_binascii.hexlify(data)
    assert binascii.unhexlify(data.hex().upper()) == data
    assert binascii.crc32(data, 7) == real_binascii.crc32(data, 7)


@given(st.text("0aF g\xe9", max_size=5))
def test_wrong_hexadecimal(text: str) -> None:
    ours, real = outcome(binascii.unhexlify, text), outcome(real_binascii.unhexlify, text)
    assert ours[1] == real[1]
    assert ours[0].__name__ == real[0].__name__
    data = text.encode("latin-1")
    assert outcome(binascii.unhexlify, data)[1] == outcome(real_binascii.unhexlify, data)[1]
