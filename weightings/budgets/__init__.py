"""Budgets: an analysis of its own, of how to spend over a horizon, and when, by a finished run's model."""
