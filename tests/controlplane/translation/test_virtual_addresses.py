"""Addresses that stand for services."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from meshext_controlplane.translate.virtual_addresses import RANGE, allocate_addresses

HOSTS = st.sets(st.from_regex(r"[a-z]{1,8}\.[a-z]{1,3}\.svc\.cluster\.local", fullmatch=True), max_size=30)


@given(HOSTS)
def test_each_host_has_one_of_its_own(hosts: set[str]) -> None:
    found = allocate_addresses(hosts)
    assert found.keys() == hosts
    assert len(set(found.values())) == len(hosts)
    assert all(ipaddress.ip_address(each) in RANGE for each in found.values())


def test_a_new_service_changes_hardly_any_address() -> None:
    hosts = [f"service-{number}.shop.svc.cluster.local" for number in range(1000)]
    before = allocate_addresses(hosts)
    after = allocate_addresses([*hosts, *(f"a-{number}.shop.svc.cluster.local" for number in range(100))])
    assert sum(before[host] != after[host] for host in hosts) <= 5


def test_a_range_that_is_full_gives_no_more() -> None:
    hosts = [f"{number:05}" for number in range(2**16)]
    found = allocate_addresses(hosts)
    assert len(set(found.values())) == len(found) == 2**16 - 2
    assert "65535" not in found
