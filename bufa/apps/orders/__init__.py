"""Orders, lines, recipients (cipher, mask, blind index), after-sales."""
