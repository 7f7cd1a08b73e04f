"""Two in a home, as in Habitat 3.0: a person to find and follow, and two agents with one goal."""
