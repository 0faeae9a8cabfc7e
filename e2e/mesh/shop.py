"""The documents of a small shop, as most tests of a mesh want them: services, and mTLS for everybody."""

from __future__ import annotations

STRICT = """\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
"""


def service(name: str) -> str:
    """A service of the workloads that are labelled `app` by its name."""
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: 8080}}]
"""


def shop(*names: str) -> dict[str, str]:
    """The folder of a mesh with these services, under STRICT mTLS."""
    return {"shop.yaml": "---\n".join([*map(service, names), STRICT])}
