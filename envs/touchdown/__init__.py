"""The streets of Touchdown."""
