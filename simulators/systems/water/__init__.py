"""Water: what homes and businesses draw, what pipes lose, and what meters, loggers and reservoirs show of it."""
