"""The policies that ship with meshext, a package each; `meshext filters list` names them.

They are found as a stranger's are: through the entry points of the group `meshext.filters`.
This package imports `meshext` and nothing of the compiler or the control plane.
"""
