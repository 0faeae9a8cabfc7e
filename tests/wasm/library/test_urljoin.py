"""urljoin against CPython's: the examples of RFC 3986 section 5.4, and URLs nobody listed."""

from urllib.parse import urljoin as real

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshext_wasm.library.urllib.parse import urljoin
from tests.wasm.library.same import outcome
from tests.wasm.library.test_addresses import is_judged

BASE = "http://a/b/c/d;p?q"
EXAMPLES = (
    "g:h g ./g g/ /g //g ?y g?y #s g#s g?y#s ;x g;x g;x?y#s . ./ .. ../ ../g ../.. ../../ ../../g ../../../g "
    "/./g /../g g. .g g.. ..g ./../g ./g/. g/./h g/../h g;x=1/./y g;x=1/../y g?y/./x g#s/../x http:g"
).split()
SCHEMES = st.sampled_from(["", "", "http:", "https:", "HTTP:", "ftp:", "mailto:", "x-own:", "ws:", "sip:"])
PLACES = st.sampled_from(["", "", "//", "//h", "//h:1", "//u@h", "//[::1]", "//[1.2.3.4]", "//[v"])
PATHS = st.lists(st.sampled_from(["/", "/", "a", "..", ".", ";", ";p", "b;q", "//", ":", "%2e"]), max_size=6)
ENDS = st.sampled_from(["", "?", "?q", "#", "#f", "?q#f", "?a;b", "#?"])
URLS = st.builds("{}{}{}{}".format, SCHEMES, PLACES, PATHS.map("".join), ENDS).filter(is_judged)


@pytest.mark.parametrize("url", EXAMPLES)
def test_examples_of_the_rfc(url: str) -> None:
    assert urljoin(BASE, url) == real(BASE, url)


@settings(max_examples=400)
@given(URLS, URLS, st.booleans())
@example("", "", True)
@example("http:", "//", True)
def test_any_urls(base: str, url: str, fragments: bool) -> None:
    assert outcome(urljoin, base, url, fragments) == outcome(real, base, url, fragments)
