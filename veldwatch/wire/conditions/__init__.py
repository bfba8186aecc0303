"""Conditions as documents: one module for each family, each with its readers and its JSON Schema."""
