"""Sealed shards: records as Parquet tables."""
