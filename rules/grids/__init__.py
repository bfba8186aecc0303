"""Grids: what many devices did, a stretch of time at a time: what conditions on areas and groups fold."""
