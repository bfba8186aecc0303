"""Pure values: no third party, no clock, no I/O."""
