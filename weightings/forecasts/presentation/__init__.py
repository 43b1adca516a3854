"""A forecast as people read it: its document and its rows."""
