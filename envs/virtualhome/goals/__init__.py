"""Goals of the household: conditions, checks, published formats, and the goal space."""
