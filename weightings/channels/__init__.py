"""What a run says of one channel, and of the campaigns within it."""
