"""Route at a node by functional token: the Octopus, of every kind."""
