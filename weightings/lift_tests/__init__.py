"""Experiments: entering a lift test, what tests and the model say of the same days, and what to test next."""
