#!/bin/sh
# The filter rate-limit as a service for every sidecar that asks it, as mesh/limits.yaml configures it.
set -eu
python3 /suite/shop/limits.py /suite/shop/mesh/limits.yaml >/tmp/limits.json
exec meshext serve rate-limit --config /tmp/limits.json --listen 0.0.0.0:9000 --metrics 0.0.0.0:9901 \
    --store "redis://redis:6379/0?patience=1"
