"""A believable retailer, simulated from causes to data, so that every analysis can be held against a known truth.

Pure: NumPy and pandas only, no Django. Loading the tables into a workspace goes through the ordinary import.
"""

from marketing.demo.build import DemoWorld, build_world

__all__ = ["DemoWorld", "build_world"]
