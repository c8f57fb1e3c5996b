"""Small plumbing that every room above may use: clock, cipher, tenants, HTTP, bulk writes."""
