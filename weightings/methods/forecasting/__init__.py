"""The outcome of periods to come, and how well such forecasts have done."""
