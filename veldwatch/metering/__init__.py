"""The model's judgement of registers over NumPy arrays: the same figures, a hundred times as many."""
