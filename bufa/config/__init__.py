"""How the rooms are put together: settings, addresses, logging."""
