"""The shop: plain HTTP services that know nothing of a mesh but their proxy, and the mesh's documents."""
