"""The encoder Octopus, the embedded default."""
