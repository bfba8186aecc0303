"""Commands of the launcher itself, one module each."""
