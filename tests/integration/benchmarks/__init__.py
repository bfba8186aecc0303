"""Benchmarks run, and count right; how fast they are is no test's business."""
