"""From a spec to a graph that runs."""
