"""Say what a node does, without LangGraph state: Octopuses that route and workers that answer."""
