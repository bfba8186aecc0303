"""The mapping decoder: any JSON made into readings, positions and events by a source's options, without code."""
