"""Training of the encoder Octopus."""
