"""`meshext up`: a control plane, sidecars and workloads on this machine, without root and without docker."""
