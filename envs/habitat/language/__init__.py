"""Words in homes: actions, observations, and the verbalizer."""
