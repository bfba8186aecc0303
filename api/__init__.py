"""The HTTP API and the console that it serves."""
