"""The verbs that come with the control plane, one file each (entry points of `meshext.commands`)."""
