"""Numbers for tests: of all sizes, and close to the borders of words."""

import struct

from hypothesis import strategies as st

BITS = st.sampled_from([1, 8, 31, 32, 33, 62, 63, 64, 65, 128, 500, 2000])
SIGNS = st.sampled_from([-1, 1])
EDGES = st.builds(lambda bits, more, sign: sign * ((1 << bits) + more), BITS, st.integers(-2, 2), SIGNS)
FREE = st.builds(
    lambda bits, seed, sign: sign * (seed & ((1 << bits) - 1)), BITS, st.integers(0, 2**2000), SIGNS
)
INTS = EDGES | FREE | st.booleans()
FLOATS = st.one_of(
    st.integers(0, 2**64 - 1).map(lambda bits: float(struct.unpack("<d", struct.pack("<Q", bits))[0])),
    st.floats(),
    st.integers(-(10**6), 10**6).map(lambda count: count / 1000),
)
