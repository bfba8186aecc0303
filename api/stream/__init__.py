"""The live stream: frames (pure), the hub that follows the log, and one follower per client."""
