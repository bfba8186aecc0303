"""Sparkplug B: payloads in protobuf, whose metrics have names in birth certificates and numbers ever after."""
