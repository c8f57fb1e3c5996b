"""Replacement parcels: the form, the gate, the submission."""
