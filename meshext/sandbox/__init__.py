"""A whole setup on this machine: filters as a service, the real Envoy in front of upstreams.

`meshext run` and the pytest fixture are two ways to start one.
"""

from meshext.sandbox.client import Answer
from meshext.sandbox.envoy_filter import EnvoyFilter
from meshext.sandbox.proxy import Proxy
from meshext.sandbox.sandbox import Sandbox
from meshext.sandbox.setup import Options, Setup, build_setup, fill_in

__all__ = ["Answer", "EnvoyFilter", "Options", "Proxy", "Sandbox", "Setup", "build_setup", "fill_in"]
