"""Intake: messages from MQTT and files are decoded, checked, written in batches and only then acknowledged."""
