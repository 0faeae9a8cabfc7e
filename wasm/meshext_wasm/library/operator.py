"""operator: the checker spells its functions out as lambdas, so none of them is written here."""
