"""Wire formats: topics and payloads, encoders beside decoders, as pure functions."""
