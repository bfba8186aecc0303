"""What alerts have to do with each other, worked out when they are recorded."""
