"""The functions that workers call, by subject."""
