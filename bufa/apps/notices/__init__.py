"""What customers were told, how, and what was promised."""
