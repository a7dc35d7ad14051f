"""Read, list, copy, export and import threads."""
