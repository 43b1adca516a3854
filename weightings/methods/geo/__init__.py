"""The media mix model of several geos at once."""
