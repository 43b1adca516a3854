"""The page of experiments: entering lift tests, what they change, and what to test next."""
