"""Metrics of a filter over Envoy's own: `meshext.metrics` where the numbers are Envoy's.

A series is one metric of Envoy, called `wasmcustom.NAME` with `;LABEL=VALUE;` behind it for each label, which
the configuration we write turns back into labels. Envoy's numbers are whole: a counter and a gauge take whole
numbers, a histogram keeps millionths. Series can not be deleted, so label sets are capped as in the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshext_wasm.library.meshext.host_metrics import define_metric, increment_metric, record_metric
from meshext_wasm.library.meshext.series import MAX_LABEL, MAX_SERIES, OTHER

COUNTER = 0
GAUGE = 1
HISTOGRAM = 2
MILLION = 1000000
NO_CAPS: dict[str, int] = {}


class Metric:
    """A definition and its series; `kind` is Envoy's number for it, `owner` the filter that has it. `values`
    are those that were seen of each label that `most_values` bounds."""

    def __init__(
        self, kind: int, name: str, labels: Sequence[str], most: int, most_values: Mapping[str, int]
    ) -> None:
        self.kind = kind
        self.name = name
        self.labels = labels
        self.most = most
        self.most_values = most_values
        self.owner = ""
        self.series: dict[str, int] = {}
        self.values: dict[str, set[str]] = {}
        for label in most_values:
            if label not in labels:
                raise ValueError(f"{name}: most_values names {label!r}, which is none of its labels")
            if not 1 <= most_values[label] <= MAX_SERIES:
                number = most_values[label]
                words = f"most_values {label}={number!r} is out of range; write 1 to {MAX_SERIES}"
                raise ValueError(f"{name}: {words}")
            self.values[label] = set()

    def number(self, labels: dict[str, str | int | bool]) -> int:
        """Envoy's number of the series with these labels; ValueError unless exactly those are given."""
        if len(labels) != len(self.labels):
            raise ValueError(self.wrong(labels))
        if len(labels) == 0:
            return self.series_of([])
        texts: list[str] = []
        for name in self.labels:
            if name not in labels:
                raise ValueError(self.wrong(labels))
            texts.append(label_text(str(labels[name])))
        return self.series_of(texts)

    def series_of(self, texts: list[str]) -> int:
        """Envoy's number of the series with these label values, or of the one for all others when there are
        too many."""
        key = self.key(texts)
        known = self.series.get(key)
        if known is not None:
            return known
        if len(self.values) > 0:
            key = self.key(self.admitted(texts))
            known = self.series.get(key)
            if known is not None:
                return known
        if len(self.series) >= self.most:
            key = self.key([OTHER] * len(texts))
            known = self.series.get(key)
            if known is not None:
                return known
        made = define_metric(self.kind, key)
        self.series[key] = made
        return made

    def key(self, texts: list[str]) -> str:
        """The name of the series in Envoy."""
        pieces: list[str] = [self.name]
        if self.owner:
            pieces.append(f";filter={self.owner};")
        for name, text in zip(self.labels, texts, strict=True):
            pieces.append(";" + name + "=" + text + ";")
        return "".join(pieces)

    def admitted(self, texts: list[str]) -> list[str]:
        """The values, each "other" where its label has seen as many as it may."""
        found: list[str] = []
        for name, text in zip(self.labels, texts, strict=True):
            seen = self.values.get(name)
            if seen is None or text in ("", OTHER) or text in seen:
                found.append(text)
            elif len(seen) >= self.most_values[name]:
                found.append(OTHER)
            else:
                seen.add(text)
                found.append(text)
        return found

    def number_at(self, values: Sequence[str | int | bool]) -> int:
        """Envoy's number of the series with these values, in the order of the labels."""
        if isinstance(values, str) or len(values) != len(self.labels):
            words = f"are no values of the labels {tuple(self.labels)}; write one each"
            raise ValueError(f"{self.name}: {values!r:.100} {words}")
        return self.series_of([label_text(str(value)) for value in values])

    def wrong(self, labels: dict[str, str | int | bool]) -> str:
        """What is wrong with these labels."""
        wanted: list[str] = []
        for name in self.labels:
            wanted.append(name + "=...")
        given = sorted(labels.keys())
        return f"{self.name}: got labels {given}; write {', '.join(wanted) or 'no labels'}"


class Recorder:
    """Writes to the series that the labels name, or to the one that it was made for."""

    def __init__(self, metric: Metric, place: int | None) -> None:
        self.metric = metric
        self.place = place

    def own(self, filter_name: str) -> None:
        """Whose it is: every series has the label `filter`."""
        self.metric.owner = filter_name

    def number(self, labels: dict[str, str | int | bool]) -> int:
        """Envoy's number of the series that is meant."""
        place = self.place
        if place is None:
            return self.metric.number(labels)
        if len(labels) > 0:
            given = sorted(labels.keys())
            raise ValueError(f"{self.metric.name}: `at` has said the labels; leave {given} out")
        return place


class BoundCounter(Recorder):
    """A counter of one filter."""

    def at(self, values: Sequence[str | int | bool]) -> BoundCounter:
        """The same for one series alone, by label values in the order of the definition."""
        return BoundCounter(self.metric, self.metric.number_at(values))

    def inc(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Count `amount` (not negative) more."""
        number = whole(self.metric.name, amount)
        if number < 0:
            raise ValueError(f"{self.metric.name}: a counter can not go down by {amount!r}; write a Gauge")
        increment_metric(self.number(labels), number)


class BoundGauge(Recorder):
    """A gauge of one filter."""

    def at(self, values: Sequence[str | int | bool]) -> BoundGauge:
        """The same for one series alone, by label values in the order of the definition."""
        return BoundGauge(self.metric, self.metric.number_at(values))

    def set(self, value: float, /, **labels: str | int | bool) -> None:
        """Let the gauge stand at `value`."""
        number = whole(self.metric.name, value)
        record_metric(self.number(labels), number)

    def inc(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go up by `amount`."""
        number = whole(self.metric.name, amount)
        increment_metric(self.number(labels), number)

    def dec(self, amount: float = 1, /, **labels: str | int | bool) -> None:
        """Go down by `amount`."""
        number = whole(self.metric.name, amount)
        increment_metric(self.number(labels), -number)


class BoundHistogram(Recorder):
    """A histogram of one filter; Envoy keeps the spread, in millionths."""

    def at(self, values: Sequence[str | int | bool]) -> BoundHistogram:
        """The same for one series alone, by label values in the order of the definition."""
        return BoundHistogram(self.metric, self.metric.number_at(values))

    def observe(self, value: float, /, **labels: str | int | bool) -> None:
        """Record one number, which is not negative."""
        if value != value or value < 0 or value > 1e12:
            raise ValueError(f"{self.metric.name}: {value!r} can not be recorded; write 0 to 1e12")
        record_metric(self.number(labels), round(value * MILLION))


class Counter(BoundCounter):
    """A number that only grows. By custom its name ends in `_total`."""

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  # the SDK's word
        most: int = MAX_SERIES,
        most_values: Mapping[str, int] = NO_CAPS,
    ) -> None:
        super().__init__(Metric(COUNTER, name, labels, most, most_values), None)


class Gauge(BoundGauge):
    """A number that goes up and down."""

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  # the SDK's word
        most: int = MAX_SERIES,
        most_values: Mapping[str, int] = NO_CAPS,
    ) -> None:
        super().__init__(Metric(GAUGE, name, labels, most, most_values), None)


class Histogram(BoundHistogram):
    """How observed numbers spread."""

    def __init__(
        self,
        name: str,
        *,
        labels: Sequence[str] = (),
        help: str = "",  # noqa: A002  # the SDK's word
        most: int = MAX_SERIES,
        most_values: Mapping[str, int] = NO_CAPS,
    ) -> None:
        super().__init__(Metric(HISTOGRAM, name, labels, most, most_values), None)


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
