"""Plain typed functions on well-kept libraries, one subject per file. They know no model."""
