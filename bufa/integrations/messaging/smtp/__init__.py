"""Plain mail by SMTP."""
