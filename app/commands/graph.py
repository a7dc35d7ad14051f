"""Begin, check, draw and import graphs: `octopus graph`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(help="Begin, check, draw and import graphs.", no_args_is_help=True)
GraphArgument = Annotated[str, typer.Argument(help="Name of a shipped graph, or path of a spec.")]


@cli.command()
def validate(graph: GraphArgument) -> None:
    """Check a spec, its tools and models, and say what it holds."""
    from app.settings import Settings
    from graphs.assembly.graph import assemble, find_spec

    spec = find_spec(graph)
    assembly = assemble(spec, Settings.read())
    workers, edges = len(assembly.workers), sum(1 for _ in spec.edges)
    typer.echo(f"{spec.source}: sound. {len(spec.masters)} master(s), {workers} worker(s), {edges} edges.")


@cli.command()
def draw(graph: GraphArgument) -> None:
    """Print the graph as a Mermaid diagram, functional tokens on its edges and listed as comments."""
    from app.settings import Settings
    from graphs.assembly.graph import assemble, find_spec

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
    from app.commands.project import new_project

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
