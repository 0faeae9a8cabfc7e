"""What a proxy wants, what it has, and what it is sent next: the rules of xDS, without any I/O.

Source: Envoy's `docs/root/api-docs/xds_protocol.rst`.
"""
