"""How servers are asked to route: one file per wire format."""
