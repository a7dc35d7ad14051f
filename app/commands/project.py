"""Begin a project around a graph: a spec, what the LangGraph server reads, and settings to fill in."""

from __future__ import annotations

import re
from pathlib import Path

from agents.errors import InputError

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")

_SPEC = """\
# {name}: who is there, and who can be reached from whom. `octopus graph validate {name}.yaml` checks it.
name: {name}
description: A graph to start from.
entry: octopus

masters:
  octopus:
    description: Picks the worker for a question.
    neighbours: [maths, writing]
    generalist: writing            # takes what no neighbour clears the threshold for

workers:
  maths:
    description: |
      Computes: derivatives, integrals, limits, equations.
      Parameters: query (str), what is to be computed. Returns: str, the result and how it was computed.
    examples: [What is the derivative of x^2?, Solve x^2 = 9.]
    tools: [calculus, algebra]     # answers without a model

  writing:
    description: |
      Writes and explains: letters, summaries, everyday questions.
      Parameters: query (str), what is wanted. Returns: str, a text.
    examples: [Write a short letter of thanks., Why is the sky blue?]
    prompt: You write clearly and briefly.
    # model: openai:NAME@URL        # its own; without it, OCTOPUS_MODEL
"""

_GRAPH = '''\
"""The graph, as langgraph.json names it."""

from pathlib import Path

from app.studio import from_spec

graph = from_spec(Path(__file__).with_name("{name}.yaml"))
'''

_LANGGRAPH = """\
{{
  "dependencies": ["."],
  "auth": {{"path": "app.studio.auth:auth", "disable_studio_auth": true}},
  "checkpointer": {{"path": "app.studio.graphs.checkpointer"}},
  "graphs": {{"{name}": "./graph.py:graph"}},
  "env": ".env"
}}
"""

_ENVIRONMENT = """\
# Copy to .env, which `langgraph dev` reads where it is there; for `octopus` itself: set -a; . ./.env; set +a
OCTOPUS_MODEL=openai:llama3.2@http://localhost:11434/v1   # a model for all workers without their own
# REDIS_URL=redis://localhost:6379                        # threads in Redis; without it, SQLite
# OCTOPUS_API_KEYS=                                       # `octopus serve --new-key NAME` makes one
LANGSMITH_TRACING=false
LANGGRAPH_CLI_NO_ANALYTICS=1
"""


def new_project(folder: Path) -> list[Path]:
    """Write the project into `folder`, whose last part is its name; return its files.

    Raises:
        InputError: the name cannot name a graph, or there is something already.
    """
    name = folder.name
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a graph.", hint="Use small letters, digits, '_' and '-', a letter first."
        )
    if folder.exists():
        raise InputError(f"{str(folder)!r} exists already.", hint="Choose another name.")
    texts = {
        f"{name}.yaml": _SPEC,
        "graph.py": _GRAPH,
        "langgraph.json": _LANGGRAPH,
        ".env.example": _ENVIRONMENT,
    }
    folder.mkdir(parents=True)
    for file, text in texts.items():
        (folder / file).write_text(text.format(name=name), encoding="utf-8")
    return [folder / file for file in texts]
