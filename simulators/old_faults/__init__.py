"""Faults: named wrappers around a clean device, which change its reports and nothing else."""
