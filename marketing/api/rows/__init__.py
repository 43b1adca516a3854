"""The rows of a workspace in the API: those that count, read in pages or as CSV, and sent in batches."""
