"""The mesh as plain data: documents as people write them, and what workloads tell about themselves."""
