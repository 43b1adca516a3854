"""Measurements of speed and memory at scale; `make bench` runs them and keeps the figures in `results/`."""
