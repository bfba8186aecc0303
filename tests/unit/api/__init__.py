"""Tests of api/ without a database."""
