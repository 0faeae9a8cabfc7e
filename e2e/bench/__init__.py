"""What a filter costs: `python -m e2e.bench --help`."""
