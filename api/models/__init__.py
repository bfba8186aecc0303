"""The shapes of answers and bodies, with examples: what OpenAPI and outside tools go by."""
