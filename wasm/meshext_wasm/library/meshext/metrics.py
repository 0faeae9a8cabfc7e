"""Metrics of a filter over Envoy's own: `meshext.metrics` where the numbers are Envoy's.

A series is one metric of Envoy, called `wasmcustom.NAME` with `;LABEL=VALUE;` behind it for each label, which
the configuration we write turns back into labels. Envoy's numbers are whole: a counter and a gauge take whole
numbers, a histogram keeps millionths. Series can not be deleted, so label sets are capped as in the SDK.
"""

from collections.abc import Sequence

from meshext_wasm.library.meshext.host_metrics import define_metric, increment_metric, record_metric

MAX_SERIES = 1000
MAX_LABEL = 256
OTHER = "other"

COUNTER = 0
GAUGE = 1
HISTOGRAM = 2
MILLION = 1000000


class Metric:
    """A definition and its series; `kind` is Envoy's number for it, `owner` the filter that has it."""

    def __init__(self, kind: int, name: str, labels: Sequence[str], most: int) -> None:
        self.kind = kind
        self.name = name
        self.labels = labels
        self.most = most
        self.owner = ""
        self.series: dict[str, int] = {}

    def number(self, labels: dict[str, str | int | bool]) -> int:
        """Envoy's number of the series with these labels; ValueError unless exactly those are given."""
        key = self.key(labels)
        known = self.series.get(key)
        if known is not None:
            return known
        if len(self.series) >= self.most:
            key = self.other()
            known = self.series.get(key)
            if known is not None:
                return known
        made = define_metric(self.kind, key)
        self.series[key] = made
        return made

    def key(self, labels: dict[str, str | int | bool]) -> str:
        """The name of the series in Envoy."""
        if len(labels) != len(self.labels):
            raise ValueError(self.wrong(labels))
        if len(labels) == 0:
            return self.start()
        pieces: list[str] = [self.start()]
        for name in self.labels:
            if name not in labels:
                raise ValueError(self.wrong(labels))
            pieces.append(";" + name + "=" + label_text(str(labels[name])) + ";")
        return "".join(pieces)

    def start(self) -> str:
        """What the names of all series begin with."""
        if self.owner:
            return f"{self.name};filter={self.owner};"
        return self.name

    def other(self) -> str:
        """The series of all label sets that came too late."""
        pieces: list[str] = [self.start()]
        for name in self.labels:
            pieces.append(";" + name + "=" + OTHER + ";")
        return "".join(pieces)

    def wrong(self, labels: dict[str, str | int | bool]) -> str:
        """What is wrong with these labels."""
        wanted: list[str] = []
        for name in self.labels:
            wanted.append(name + "=...")
        given = sorted(labels.keys())
        return f"{self.name}: got labels {given}; write {', '.join(wanted) or 'no labels'}"


class Counter:
    """A number that only grows. By custom its name ends in `_total`."""

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  # the SDK's word
        most: int = MAX_SERIES,
    ) -> None:
        self.metric = Metric(COUNTER, name, labels, most)

    def own(self, filter_name: str) -> None:
        """Whose it is: every series has the label `filter`."""
        self.metric.owner = filter_name

    def inc(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Count `amount` (not negative) more."""
        number = whole(self.metric.name, amount)
        if number < 0:
            raise ValueError(f"{self.metric.name}: a counter can not go down by {amount!r}; write a Gauge")
        increment_metric(self.metric.number(labels), number)


class Gauge:
    """A number that goes up and down."""

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  # the SDK's word
        most: int = MAX_SERIES,
    ) -> None:
        self.metric = Metric(GAUGE, name, labels, most)

    def own(self, filter_name: str) -> None:
        """Whose it is: every series has the label `filter`."""
        self.metric.owner = filter_name

    def set(self, value: float, /, **labels: str | int | bool) -> None:
        """Let the gauge stand at `value`."""
        number = whole(self.metric.name, value)
        record_metric(self.metric.number(labels), number)

    def inc(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go up by `amount`."""
        number = whole(self.metric.name, amount)
        increment_metric(self.metric.number(labels), number)

    def dec(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go down by `amount`."""
        number = whole(self.metric.name, amount)
        increment_metric(self.metric.number(labels), -number)


class Histogram:
    """How observed numbers spread; Envoy keeps the spread, in millionths."""

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  # the SDK's word
        most: int = MAX_SERIES,
    ) -> None:
        self.metric = Metric(HISTOGRAM, name, labels, most)

    def own(self, filter_name: str) -> None:
        """Whose it is: every series has the label `filter`."""
        self.metric.owner = filter_name

    def observe(self, value: float, /, **labels: str | int | bool) -> None:
        """Record one number, which is not negative."""
        if value != value or value < 0 or value > 1e12:
            raise ValueError(f"{self.metric.name}: {value!r} can not be recorded; write 0 to 1e12")
        record_metric(self.metric.number(labels), round(value * MILLION))


def whole(name: str, amount: float) -> int:
    """The amount as Envoy counts."""
    number = int(amount)
    if number != amount or number > 9007199254740992 or number < -9007199254740992:
        raise ValueError(f"{name}: {amount!r} can not be recorded; Envoy counts whole numbers")
    return number


def label_text(text: str) -> str:
    """A label's value as it stands in a name: at most 256 characters, no semicolon, no lone surrogate."""
    if len(text) > MAX_LABEL:
        text = text[:MAX_LABEL]
    if text.isascii() and ";" not in text:
        return text
    pieces: list[str] = []
    for char in text:
        if char == ";":
            pieces.append(",")
        elif "\ud800" <= char <= "\udfff":
            pieces.append("\ufffd")
        else:
            pieces.append(char)
    return "".join(pieces)
