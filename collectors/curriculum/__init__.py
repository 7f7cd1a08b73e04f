"""The automatic curriculum: goal proposers, and the loop that tries what they propose."""
