"""Files of aggregated paths, read from their bytes."""
