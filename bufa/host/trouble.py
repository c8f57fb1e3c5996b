"""What stops the command, in one sentence for a person."""

from __future__ import annotations


class Trouble(Exception):
    """Something outside of the code is in the way. The text says what, and what to do; exit code 1, no traceback."""
