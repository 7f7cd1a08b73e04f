"""Monte Carlo tree search, and the collector that searches a plan for each task."""
