"""Tests of api/ against a real database."""
