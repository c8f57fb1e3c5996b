"""Shops, their people, connections, policy, pickup addresses."""
