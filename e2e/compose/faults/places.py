"""Where in the shop faults are, and the requests that feel them: the only place that knows its names."""

from __future__ import annotations

from e2e.compose.faults.flow import Requests
from e2e.compose.faults.guest import Guest

CALLER, CALLER_APP = "customers", "customers-app"
TWIN, TWIN_APP = "storefront-2", "storefront-2-app"
"""One of two who answer `FRONT`."""
SERVER = "checkout-1"
"""One of two who answer `ORDERS`, through the storefront."""
LIMITS = ("limits-1-app", "limits-2-app")
"""The filter's services: `ORDERS` ask one of them, and it asks Redis."""

PROXIES = frozenset(
    "gateway.edge customers.shop storefront-1.shop storefront-2.shop checkout-1.shop checkout-2.shop "
    "recommendation-v1.shop recommendation-v2.shop limits-1.filters limits-2.filters".split()
)

FRONT = Requests(CALLER_APP, "http://storefront/")
# Another visitor each time: an order is limited by who places it.
VISITS = Requests(CALLER_APP, "http://storefront/recommendations", headers=("x-user=fault-{n}",))
ORDERS = Requests(CALLER_APP, "http://storefront/orders", "POST", ("x-user={n}-{mark}",), "{}", ("201",))
GUEST = Guest("checkout-9", like="checkout-1", account="checkout")
