"""What people read of a cross-channel result: words, tables and charts, for its pages and its exports."""
