"""Train the encoder Octopus and what routes beside it."""
