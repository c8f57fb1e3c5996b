"""What we want to change outside: intents, attempts, answers."""
