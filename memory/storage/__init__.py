"""The files of a memory: the SQLite table, the vector index, and caches of both."""
