"""What a tuned model should still know: text of three kinds, and questions, that every machine has."""
