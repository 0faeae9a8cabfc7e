"""The process `meshext controlplane`: sources, certificates, workloads and streams put together."""
