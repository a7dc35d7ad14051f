"""Name the kinds of Octopuses, and build an Octopus from a reference of any kind."""
