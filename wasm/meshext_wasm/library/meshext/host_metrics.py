"""Envoy's metrics."""

from meshext_wasm.library.proxy.passing import bytes_at, new_result, take_word
from meshext_wasm.library.raw import host, wide, word


@host("proxy_define_metric")
def proxy_define_metric(kind: word, name: word, size: word, out: word) -> word:
    """The number of a metric."""
    raise NotImplementedError


@host("proxy_increment_metric")
def proxy_increment_metric(number: word, offset: wide) -> word:
    """Add to a metric."""
    raise NotImplementedError


@host("proxy_record_metric")
def proxy_record_metric(number: word, value: wide) -> word:
    """Set or observe."""
    raise NotImplementedError


def define_metric(kind: int, name: str) -> int:
    """Envoy's number of a metric."""
    data = name.encode()
    out = new_result()
    status = proxy_define_metric(word(kind), bytes_at(data), word(len(data)), out)
    if status != word(0):
        raise ValueError(f"Envoy refused the metric {name!r} (status {int(status)})")
    return take_word(out)


def increment_metric(number: int, amount: int) -> None:
    """Add to a counter or gauge."""
    proxy_increment_metric(word(number), wide(amount))


def record_metric(number: int, value: int) -> None:
    """Set a gauge, observe with a histogram."""
    proxy_record_metric(word(number), wide(value))
