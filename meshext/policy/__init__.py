"""Istio's AuthorizationPolicy: read, checked, decided, explained. Pure; for filter, CLI and control plane.

documents   text -> Policy, with every mistake in one go        model     what a policy is, as plain data
scope       which policies apply to a workload                  patterns  how one value is compared
checks      a field of a rule made ready to be decided          index     which rules can match a request
decide      DENY, ALLOW, AUDIT, dry run -> Verdict              explain   why, and what came closest
requests    a request as JSON -> Facts                          normalize a path as Envoy leaves it
"""
