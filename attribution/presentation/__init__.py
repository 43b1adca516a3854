"""A result as documents for readers: sentences, charts and tables."""
