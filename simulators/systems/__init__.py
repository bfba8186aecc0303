"""Systems: devices whose physics hang together, advanced step by step with all their devices at once."""
