"""Cases of the shop, which `docker-compose.yaml` runs: what it claims, and how traffic is steered in it."""
