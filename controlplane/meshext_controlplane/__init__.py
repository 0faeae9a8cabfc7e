"""The control plane: configuration (xDS) and certificates (SDS) for stock Envoy sidecars.

It will hold the model of a mesh, its sources, the translation to Envoy resources, identities and the xDS
server, and will join the command line through the entry points `meshext.commands`. It holds no code yet.
"""
