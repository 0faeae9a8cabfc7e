"""The suite across real hosts: containers on private networks, driven by docker's compose."""
