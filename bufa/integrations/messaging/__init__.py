"""How people outside are told."""
