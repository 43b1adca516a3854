"""Forecasts: what an outcome will be in the periods after a model's data, if a plan is carried out."""
