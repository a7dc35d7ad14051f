"""Read typed arguments from a question in natural language: one reader per type, and no guessing.

A question is read for one function. Each reader finds the mentions of its type. The mentions are assigned to
the parameters by type and by the cues beside them. Then every word and sign of the question must be accounted
for: by a mention, by the words with which people ask for this function, or by filler that changes no meaning.
What remains is a condition that nobody has understood, and the question is declined.
"""

from tools.reading.arguments import may_ask, read_arguments
from tools.reading.query import NotAskedError, UnreadError

__all__ = ["NotAskedError", "UnreadError", "may_ask", "read_arguments"]
