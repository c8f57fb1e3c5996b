"""Running Bufa on one machine: its PostgreSQL, its process tree, its doctor."""
