"""Tests with real workers in processes of their own, against PostgreSQL with Redis and against the embedded default.

The test process never uses Django's connection here: it asks through `client` and looks at the rows by SQL.
"""
