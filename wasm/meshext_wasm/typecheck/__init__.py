"""From syntax trees to the core language: what every name means, what type everything has."""
