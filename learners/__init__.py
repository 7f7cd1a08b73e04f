"""Learning into weights: corpora from experience, and fine-tuning. Nothing is here yet."""
