"""The node process of the world: starting and asking it, the servers it joins, and the programs it runs."""
