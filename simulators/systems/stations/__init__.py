"""Stations: devices whose physics do not hang on one another, but for the weather that they share."""
