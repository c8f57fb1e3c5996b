"""Django apps. In each: models (what is), queries (what is read), actions (what changes), migrations."""
