"""Execute runs: start, resume and watch them, ask people, and log what happened."""
