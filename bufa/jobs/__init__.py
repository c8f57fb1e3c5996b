"""Background work: one module a kind of work; each job is a hint, the rows are the truth."""
