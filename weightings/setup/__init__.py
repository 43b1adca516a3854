"""Setting up a model: what can be chosen, what it would learn from, and what is believed before it has."""
