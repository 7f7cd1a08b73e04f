"""A household task in the Planning Domain Definition Language, and plans read back from it."""
