"""Host functions that need no stream: log, time, metrics, shared data, contexts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meshext_wasm.abi.values import Level, MetricKind, Status
from meshext_wasm.host.machine import LogEntry, Machine
from meshext_wasm.host.memory import hand_over, write_wide, write_word


def log(machine: Machine, level: int, text: int, size: int) -> Status:
    """A line for the log; an unknown level is refused."""
    content = machine.memory.read(text, size).decode("utf-8", "replace")
    if level not in set(Level):
        return Status.BAD_ARGUMENT
    if level >= machine.level:
        machine.logs.append(LogEntry(Level(level), content))
    return Status.OK


def get_log_level(machine: Machine, out: int) -> Status:
    """From which level on lines are kept."""
    write_word(machine.memory, out, machine.level)
    return Status.OK


def get_time(machine: Machine, out: int) -> Status:
    """Nanoseconds since 1970."""
    write_wide(machine.memory, out, machine.clock())
    return Status.OK


def set_tick_period(machine: Machine, milliseconds: int) -> Status:
    """How often `proxy_on_tick` comes."""
    machine.tick_period = milliseconds
    return Status.OK


def define_metric(machine: Machine, kind: int, name: int, size: int, out: int) -> Status:
    """The number of a metric."""
    text = machine.memory.read(name, size).decode("utf-8", "replace")
    if kind not in set(MetricKind):
        return Status.BAD_ARGUMENT
    write_word(machine.memory, out, machine.shared.define(MetricKind(kind), text))
    return Status.OK


def increment_metric(machine: Machine, number: int, offset: int) -> Status:
    """Add to a counter (never less) or a gauge."""
    metric = machine.shared.metric(number)
    if metric is None:
        return Status.NOT_FOUND
    if metric.kind is MetricKind.HISTOGRAM or (metric.kind is MetricKind.COUNTER and offset < 0):
        return Status.BAD_ARGUMENT
    metric.value += offset
    return Status.OK


def record_metric(machine: Machine, number: int, value: int) -> Status:
    """Set a gauge, observe with a histogram; a counter is added to."""
    metric = machine.shared.metric(number)
    if metric is None:
        return Status.NOT_FOUND
    if metric.kind is MetricKind.HISTOGRAM:
        metric.observed.append(value)
    elif metric.kind is MetricKind.COUNTER:
        metric.value += value
    else:
        metric.value = value
    return Status.OK


def get_metric(machine: Machine, number: int, out: int) -> Status:
    """A counter's or gauge's number."""
    metric = machine.shared.metric(number)
    if metric is None:
        return Status.NOT_FOUND
    if metric.kind is MetricKind.HISTOGRAM:
        return Status.BAD_ARGUMENT
    write_wide(machine.memory, out, metric.value)
    return Status.OK


def get_shared_data(machine: Machine, key: int, key_size: int, address: int, size: int, out: int) -> Status:
    """A value and its version."""
    entry = machine.shared.data.get(machine.memory.read(key, key_size))
    if entry is None:
        return Status.NOT_FOUND
    hand_over(machine.memory, entry.value, address, size)
    write_word(machine.memory, out, entry.version)
    return Status.OK


def set_shared_data(machine: Machine, key: int, key_size: int, value: int, size: int, version: int) -> Status:
    """Write a value; version 0 asks no questions."""
    name, content = machine.memory.read(key, key_size), machine.memory.read(value, size)
    return machine.shared.put(name, content, version)


def set_effective_context(machine: Machine, context: int) -> Status:
    """What the calls of this callback are about."""
    if context not in machine.streams and context != 1:
        return Status.BAD_ARGUMENT
    machine.context = context
    return Status.OK


FUNCTIONS: Mapping[str, Callable[..., int]] = {
    "proxy_log": log,
    "proxy_get_log_level": get_log_level,
    "proxy_get_current_time_nanoseconds": get_time,
    "proxy_set_tick_period_milliseconds": set_tick_period,
    "proxy_define_metric": define_metric,
    "proxy_increment_metric": increment_metric,
    "proxy_record_metric": record_metric,
    "proxy_get_metric": get_metric,
    "proxy_get_shared_data": get_shared_data,
    "proxy_set_shared_data": set_shared_data,
    "proxy_set_effective_context": set_effective_context,
}
