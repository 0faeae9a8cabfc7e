"""Who is who in the mesh: certificate authority, join tokens, certificates for workloads, bans."""
