"""What people start: the command line, the wiring of objects, servers and persistence."""
