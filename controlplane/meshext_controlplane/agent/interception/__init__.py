"""How a transparent sidecar comes between its application and the network: rules, and who puts them there."""
