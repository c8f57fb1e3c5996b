"""Bufa (补发): the desk of a shop for parcels that go wrong, through five steps."""

__version__ = "0.1.0"
