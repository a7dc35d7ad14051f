"""Workers: the nodes that answer."""
