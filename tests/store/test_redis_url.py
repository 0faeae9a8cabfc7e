"""URLs of a Redis: what they mean, what is refused, and that no secret is ever shown."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshext.errors import StoreError
from meshext.store import MemoryStore
from meshext.stores import check_store, open_store
from meshext.stores.redis_url import RedisUrl, parse_redis_url, show


@pytest.mark.parametrize(
    ("url", "kind", "singles", "service", "shown"),
    [
        ("redis://", "single", ("redis://localhost/",), "", "redis://"),
        ("redis://h:1/2", "single", ("redis://h:1/2",), "", "redis://h:1/2"),
        (
            "rediss://me:se%40cret@[::1]:1?ssl_cert_reqs=none",
            "single",
            ("rediss://me:se%40cret@[::1]:1/?ssl_cert_reqs=none",),
            "",
            "rediss://[::1]:1",
        ),
        ("unix://:pw@/run/r.sock?db=3", "single", ("unix://:pw@/run/r.sock?db=3",), "", "unix:///run/r.sock"),
        (
            "redis+cluster://:pw@a:1,b",
            "cluster",
            ("redis://:pw@a:1/", "redis://:pw@b/"),
            "",
            "redis+cluster://a:1,b",
        ),
        (
            "rediss+sentinel://a,b:2/main/4",
            "sentinel",
            ("rediss://a/4", "rediss://b:2/4"),
            "main",
            "rediss+sentinel://a,b:2/main/4",
        ),
    ],
)
def test_a_url_means(url: str, kind: str, singles: tuple[str, ...], service: str, shown: str) -> None:
    expected = RedisUrl(kind=kind, singles=singles, service=service, shown=shown)  # type: ignore[arg-type]  # one of three
    assert parse_redis_url(url) == expected


@pytest.mark.parametrize(
    ("url", "single"),
    [
        ("redis://h/1?patience=0.5", "redis://h/1"),
        ("redis://h/1?patience=0.5&client_name=a", "redis://h/1?client_name=a"),
        ("redis://h/1?client_name=a&patience=0.5", "redis://h/1?client_name=a"),
        ("redis://h/1?client_name=a&patience=0.5&db=2", "redis://h/1?client_name=a&db=2"),
        ("unix:///r.sock?patience=0.5", "unix:///r.sock"),
    ],
)
def test_the_one_option_that_is_ours(url: str, single: str) -> None:
    parsed = parse_redis_url(url)
    assert (parsed.patience, parsed.singles) == (0.5, (single,))


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("localhost:6379", "has none of the forms redis://"),
        ("http://h/", "'http://...' has none of the forms"),
        ("redis://h/x", "database 'x' is not a number"),
        ("redis://a,b", "several hosts need redis+cluster:// or redis+sentinel://"),
        ("redis+cluster://a,b/1", "a cluster has only database 0"),
        ("redis+sentinel://a,b", "say which service"),
        ("redis://h?sockettimeout=1", "there is no option 'sockettimeout'"),
        ("redis://h?socket_timeout=1", "option 'socket_timeout' has no meaning here"),
        ("redis://h?socket_keepalive=1&db=x", "'db' has no valid value"),
        ("rediss://h?ssl_cert_reqs=perhaps", "an option has no valid value"),
        ("redis://h:99999", "a part has no valid value"),
        ("redis://h?patience=0", "write a patience of 0.001 to 10 seconds"),
        ("redis://h?patience=x&db=1", "write a patience of 0.001 to 10 seconds"),
    ],
)
def test_a_mistake_is_one_line(url: str, text: str) -> None:
    with pytest.raises(StoreError) as refused:
        check_store(url)
    assert text in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:SECRET@h:1/0",
        "redis://:SECRET@h:x/0",
        "redis://me:SECRET",  # the host is missing
        "redis://me:SE@CRET@h",
        "redis://me:a/SECRET@h",
        "redis://me:a?SECRET@h",
        "redis://me:a#SECRET@h",
        "redis://h?password=SECRET",
        "redis+sentinel://h/s?sentinel_password=SECRET",
        "redis+cluster://:SECRET@a,b@c",
        ":SECRET@h:6379",
        "rediss://h?ssl_password=SECRET&nonsense=1",
        "unix://:SECRET@/run/r.sock",
        "SECRET",
    ],
)
def test_no_secret_is_shown(url: str) -> None:
    assert "SECRET" not in show(url)
    assert "CRET" not in show(url)
    assert "CRET" not in said_of(url)


def said_of(url: str) -> str:
    try:
        return repr(open_store(url))
    except StoreError as error:
        return str(error)


@given(st.text(), st.sampled_from(["redis://", "redis+cluster://", "redis+sentinel://", "unix://", ""]))
def test_any_text_is_a_url_or_a_store_error(text: str, scheme: str) -> None:
    with contextlib.suppress(StoreError):
        check_store(scheme + text)


def test_no_url_is_the_memory_of_this_process() -> None:
    assert isinstance(open_store(""), MemoryStore)
    check_store("")


def test_a_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from meshext.stores import open_store\n"
        "try: open_store('redis://:pw@h')\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    wanted = "the store redis://h needs the 'redis' extra: python3 -m pip install 'meshext[redis]'"
    assert done.stdout.strip() == wanted
