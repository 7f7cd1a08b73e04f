"""The files of a memory: the SQLite table, the vector index, and the arrays that cache both."""
