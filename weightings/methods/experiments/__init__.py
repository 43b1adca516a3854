"""What lift tests tell a media mix model."""
