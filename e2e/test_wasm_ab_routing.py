"""`ab-routing`, compiled from the files that run as a service, inside the real Envoy: the same suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e.inside import MINUTES, embedded, total
from e2e.test_ab_routing import (
    CONFIG,
    Ground,
    test_a_header_with_an_underscore_or_a_space_chooses_nothing,
    test_a_layer_gives_one_of_its_experiments,
    test_a_sticky_variant_outlives_the_weights,
    test_a_tester_gets_what_is_signed,
    test_a_visitor_is_known_by_the_cookie,
    test_bytes_that_are_no_text_are_a_key_and_no_harm,
    test_nobody_chooses_by_a_cookie,
    test_nobody_chooses_by_a_header,
    test_others_are_no_testers,
    test_users_are_split_and_stay,
)
from meshext.sandbox import Proxy, Setup

__all__ = [
    "test_a_header_with_an_underscore_or_a_space_chooses_nothing",
    "test_a_layer_gives_one_of_its_experiments",
    "test_a_sticky_variant_outlives_the_weights",
    "test_a_tester_gets_what_is_signed",
    "test_a_visitor_is_known_by_the_cookie",
    "test_bytes_that_are_no_text_are_a_key_and_no_harm",
    "test_nobody_chooses_by_a_cookie",
    "test_nobody_chooses_by_a_header",
    "test_others_are_no_testers",
    "test_users_are_split_and_stay",
]

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(MINUTES * 60)]


class InsideEnvoy(Ground):
    """No service: Envoy's own metrics are the filter's."""

    def start(self, setup: Setup) -> None:
        made = embedded(setup)
        self.needs = list(made.needs)
        self.proxy = Proxy.start(made)

    def total(self, name: str, **labels: str) -> float:
        return total(self.proxy, name, **labels)


@pytest.fixture(scope="module")
def ground() -> Iterator[InsideEnvoy]:
    found = InsideEnvoy("wasm", CONFIG)
    yield found
    found.proxy.stop()


def test_other_filters_and_the_access_log_see_the_variant(ground: InsideEnvoy) -> None:
    """In Envoy's dynamic metadata, where `meshext run` writes it to the access log from."""
    name = ground.went_to(ground.get("/logged", user="user-7"))
    line = ground.proxy.wait_for_log("GET /logged ")
    assert f'"meshext.ab-routing":{{"checkout":"{name}"' in line


def test_every_metric_says_whose_it_is(ground: InsideEnvoy) -> None:
    ground.get(user="user-7")
    counted = ground.total("ab_routing_exposures_total", filter="ab-routing", experiment="checkout")
    assert counted > 0
