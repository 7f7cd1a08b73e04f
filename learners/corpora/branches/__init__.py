"""What actions do: episodes played again, left at some of their steps, and questions about it."""
