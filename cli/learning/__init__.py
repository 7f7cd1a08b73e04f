"""The commands that learn: corpora, Fisher information, fine-tuning, evaluation and the closed loop."""
