"""Findings, cases, statements, the timeline of what was done."""
