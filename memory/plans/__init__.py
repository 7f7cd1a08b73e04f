"""Whole plans as templates: what of a plan comes from the goal, what is read on the way, and a proof in other tasks."""
