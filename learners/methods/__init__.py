"""Learning methods by name: plain fine-tuning, EWC and its rivals."""
