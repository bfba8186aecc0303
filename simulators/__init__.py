"""Simulated devices that publish over MQTT, and the faults that can befall them."""
