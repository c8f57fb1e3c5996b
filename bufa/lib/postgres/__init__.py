"""Django's PostgreSQL backend, with a shelf for what a reading transaction has read (see `bufa.lib.shelf`)."""
