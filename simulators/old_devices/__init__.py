"""Clean devices: what they measure when nothing is wrong."""
