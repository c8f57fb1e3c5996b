"""The outside world, seen through small protocols. Nothing in here knows Django."""
