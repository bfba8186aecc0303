"""SenML: lists of measurements in JSON or CBOR, whose records share what base fields say."""
