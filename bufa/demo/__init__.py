"""The sample shop: its history goes in through the same doors and actions as live work."""
