"""What Prometheus reads: requests, counted as they come, and the service, looked up in the database when it asks."""
