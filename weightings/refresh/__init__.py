"""What becomes of a model as time goes on: held against newer data, compared with the next one, grown stale."""
