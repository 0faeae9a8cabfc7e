"""Documents to make meshes of in tests."""

from __future__ import annotations

from meshext_controlplane.sources.places import Origin
from meshext_controlplane.sources.reading import Reading, read_text


def peer(name: str = "default", mode: str = "STRICT", namespace: str = "shop", more: str = "") -> str:
    """A PeerAuthentication."""
    head = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\n"
    return (
        f"{head}metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{mtls: {{mode: {mode}}}{more}}}\n"
    )


def mesh_config(name: str = "mesh", spec: str = "{}") -> str:
    """A MeshConfig."""
    return f"apiVersion: meshext.dev/v1\nkind: MeshConfig\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def policy(name: str = "allow", spec: str = "{}") -> str:
    """An AuthorizationPolicy."""
    head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
    return f"{head}metadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"


def stream(*documents: str) -> str:
    """Documents in one text."""
    return "---\n".join(documents)


def read(source: str, *documents: str) -> Reading:
    """A file of that name."""
    return read_text(Origin(source, stream(*documents), (0, source, 0.0)))


def service(name: str, spec: str) -> str:
    """A Service."""
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"


def routes(name: str, spec: str) -> str:
    """A VirtualService."""
    head = "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
    return f"{head}metadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"


def rule(name: str, spec: str) -> str:
    """A DestinationRule."""
    head = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n"
    return f"{head}metadata: {{name: {name}, namespace: shop}}\nspec: {spec}\n"
