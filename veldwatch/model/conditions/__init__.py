"""What rules watch for: one module for each family of conditions, each condition a value. What joins them: `kinds`."""
