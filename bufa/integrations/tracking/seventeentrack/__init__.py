"""17TRACK: registration, query, push."""
