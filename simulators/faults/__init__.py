"""Faults outside a system's physics: in an instrument, and on the wire; named wrappers around clean devices."""
