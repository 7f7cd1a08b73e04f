"""Homes in three dimensions with Habitat's tasks; see `docs/guide/envs/habitat.md`."""
