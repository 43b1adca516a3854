"""A media mix result as people read it: its document, its rows, and two runs side by side."""
