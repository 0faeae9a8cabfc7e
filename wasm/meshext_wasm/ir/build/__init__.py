"""From the core language to the IR. `unit.build_unit` is the way in."""
