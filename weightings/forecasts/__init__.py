"""The forecast: an analysis of its own, of what the outcome will be if a plan is carried out."""
