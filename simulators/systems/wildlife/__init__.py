"""Collared animals: how they move, how their receivers see it, and what can befall them."""
