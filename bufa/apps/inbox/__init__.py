"""Raw messages from outside, kept once, then understood."""
