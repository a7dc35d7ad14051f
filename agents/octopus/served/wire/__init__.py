"""Ask servers to route, with a file for each wire format."""
