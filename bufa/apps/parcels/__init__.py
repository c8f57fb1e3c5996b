"""Parcels, scans, tracking subscriptions, numbers used before."""
