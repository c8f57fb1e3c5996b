"""The pages of the desk, one module per area. They read through queries and change things through actions only."""
