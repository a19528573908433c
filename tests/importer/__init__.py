"""The import: reading the clouds, against the local ones, and the way from a secret to a record."""
