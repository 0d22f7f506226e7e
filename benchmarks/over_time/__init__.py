"""What `asv run` times for each commit (asv.conf.json); ratios are for the other benchmarks."""
