"""Begin, check, draw and import graphs: `octopus graph`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(help="Begin, check, draw and import graphs.", no_args_is_help=True)
GraphArgument = Annotated[str, typer.Argument(help="Name of a shipped graph, or path of a spec.")]

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


@cli.command()
def validate(graph: GraphArgument) -> None:
    """Check a spec, its tools and models, and say what it holds."""
    from agents.workers.kinds import parse_reference
    from agents.workers.models.named import NamedReference
    from app.settings import Settings
    from graphs.assembly import assemble, find_spec

    spec = find_spec(graph)
    assembly = assemble(spec, Settings.read())
    workers, edges = len(assembly.workers), sum(1 for _ in spec.edges)
    typer.echo(f"{spec.source}: sound. {len(spec.masters)} master(s), {workers} worker(s), {edges} edges.")
    for name, worker in spec.workers.items():
        named = parse_reference(worker.model) if worker.model else None
        if isinstance(named, NamedReference) and (trouble := named.trouble()):
            typer.echo(f"{name}: {trouble}", err=True)


@cli.command()
def draw(graph: GraphArgument) -> None:
    """Print the graph as a Mermaid diagram, functional tokens on its edges and listed as comments."""
    from app.settings import Settings
    from graphs.assembly import assemble, find_spec

    spec = find_spec(graph)
    drawn = assemble(spec, Settings.read()).graph().compile().get_graph().draw_mermaid()
    # Mermaid labels are HTML, where <nexa_4> would be an unknown tag and vanish.
    typer.echo(re.sub(r"<(nexa_\w+)>", r"#lt;\1#gt;", drawn).rstrip())
    for node, token, neighbour in spec.edges:
        typer.echo(f"%% {node} {token} {neighbour}")


@cli.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Where it goes; the last part is the graph's name.")],
) -> None:
    """Begin a project: a spec, langgraph.json for `langgraph dev`, and .env.example."""
    for file in new_project(folder):
        typer.echo(str(file))
    spec, here = (shlex.quote(str(path)) for path in (folder / f"{folder.name}.yaml", folder))
    steps = (
        f'octopus ask --graph {spec} "What is the derivative of x^4?"',
        f"cd {here} && python -m langgraph_cli dev    # LangGraph Studio; extra studio, settings in .env",
    )
    typer.echo("\nNext:\n" + "\n".join(f"  {step}" for step in steps), err=True)


importers = typer.Typer(help="Make a spec from another format.", no_args_is_help=True)
cli.add_typer(importers, name="import")


@importers.command("task-graph")
def task_graph(
    file: Annotated[Path, typer.Argument(help="JSON: {nodes: [{id, desc}], links: [{source, target}]}.")],
    output: Annotated[Path, typer.Option(help="Where the spec goes.")],
) -> None:
    """Import a task graph: ids become worker names, and the entry master sees them all."""
    from graphs.task_graph import import_task_graph

    count = import_task_graph(file, output)
    typer.echo(f"{output}: {count} workers.")


def new_project(folder: Path) -> list[Path]:
    """Write the project into `folder`, whose last part is its name; return its files.

    Raises:
        InputError: the name cannot name a graph, or the folder exists already.
    """
    from agents.errors import InputError

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
