"""LightweightMMM's models, fitted by this project's sampler."""
