"""Checks and chores of this repository; `make` runs them. None of it is shipped."""
