"""Begin, check, draw and import graphs: `octopus graph`."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agents.workers.models.listings import ServedModel
    from agents.workers.models.servers import Server

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
    # model: ollama:NAME            # its own; without it, OCTOPUS_MODEL
"""

_FROM_MODELS = """\
# {name}: a worker for each model that answered on this machine, by `octopus graph new {name} --from-models`.
# A worker gets the questions that its description and examples are nearest to: say what each is good at,
# then `octopus graph validate {name}.yaml`. `octopus train router` learns from questions of your own.
name: {name}
description: The models of this machine.
entry: octopus

masters:
  octopus:
    description: Picks the model for a question.
    neighbours: [{neighbours}]
    generalist: {generalist}   # takes what no neighbour clears the threshold for

workers:
{workers}"""

# What models are for: a description, examples, and the system prompt.
_GOOD_AT = {
    "": (
        "Answers questions of every kind: knowledge, explanations, advice, writing.",
        ["Why is the sky blue?"],
    ),
    "hard": (
        "Answers hard questions with care: reasoning, analysis, comparisons, plans, long explanations.",
        ["Compare two plans and say which is better, and why.", "Explain how inflation comes about."],
    ),
    "short": (
        "Answers short everyday questions: greetings, small talk, simple facts, short texts, rewording.",
        ["Hello, how are you?", "Write a short letter of thanks.", "Say it more politely."],
    ),
    "code": (
        "Writes, explains and mends programs: code in any language, algorithms, errors, tests, SQL, shell.",
        ["Write a function that reverses a string.", "Why does this Python code raise a KeyError?"],
    ),
    "math": (
        "Solves mathematical problems step by step: algebra, calculus, probability, geometry, proofs.",
        ["Solve x^2 - 5x + 6 = 0.", "Prove that the square root of 2 is irrational."],
    ),
    "medicine": (
        "Answers medical questions: symptoms, diseases, medicines, treatment, anatomy.",
        ["What helps against a migraine?"],
    ),
    "translation": (
        "Translates texts from one language into another.",
        ["Translate this sentence into German."],
    ),
    "vision": (
        "Looks at pictures: says what is to be seen, reads texts and diagrams in them.",
        ["What is in this picture?"],
    ),
}

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
OCTOPUS_MODEL=auto                                        # a model for all workers without their own
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
    from_models: Annotated[
        bool, typer.Option("--from-models", help="Make a worker for each model that answers on this machine.")
    ] = False,
) -> None:
    """Begin a project: a spec, langgraph.json for `langgraph dev`, and .env.example."""
    for file in new_project(folder, _spec_of_models(folder.name) if from_models else _SPEC):
        typer.echo(str(file))
    spec, here = (shlex.quote(str(path)) for path in (folder / f"{folder.name}.yaml", folder))
    question = "Why is the sky blue?" if from_models else "What is the derivative of x^4?"
    steps = (
        f'octopus ask --graph {spec} "{question}"',
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


def _spec_of_models(name: str) -> str:
    """Write a spec of the models that answer on this machine.

    Raises:
        ModelUnavailableError: none does.
    """
    from agents.errors import ModelUnavailableError
    from agents.workers.models.listings import speciality
    from agents.workers.models.named import size_of
    from agents.workers.models.servers import THOROUGH, look, there

    servers = look(seconds=THOROUGH, thorough=True)
    found = [(server, model) for server in servers for model in server.answering]
    if not found:
        raise ModelUnavailableError("there is no chat model to make a graph of.", hint=there(servers))
    found.sort(key=lambda one: -(size_of(one[1]) or 0))
    general = [model for _, model in found if not speciality(model.name)]
    names = _worker_names([model for _, model in found])
    workers = []
    for worker, (server, model) in zip(names, found, strict=True):
        what = speciality(model.name)
        if not what and len(general) > 1:
            what = "hard" if model is general[0] else "short" if model is general[-1] else ""
        workers.append(_worker(worker, server, model, what))
    left = sorted(
        {one.name for server in servers for one in server.models} - {model.name for _, model in found}
    )
    workers += (
        [f"# left out, as they do not answer questions on this machine: {', '.join(left)}\n"] if left else []
    )
    best = next((at for at, (_, model) in enumerate(found) if model in general), 0)
    return (
        _FROM_MODELS.format(
            name=name, neighbours=", ".join(names), generalist=names[best], workers="\n".join(workers)
        )
        .replace("{", "{{")
        .replace("}", "}}")
    )


def _worker_names(models: Sequence[ServedModel]) -> list[str]:
    """Name a worker after each model, as YAML reads a text and a graph a node."""
    names: list[str] = []
    for model in models:
        file = model.name.rsplit("/", 1)[-1].removesuffix(".gguf").lower()
        name = re.sub(r"[^a-z0-9]+", "_", file.removesuffix(":latest")).strip("_")
        name = f"model_{name}" if not name[:1].isalpha() or name in ("octopus", "guard", "answer") else name
        names.append(name if name not in names else f"{name}_{len(names)}")
    return names


def _worker(name: str, server: Server, model: ServedModel, what: str) -> str:
    from app.commands.models import described

    description, examples = _GOOD_AT.get(what, _GOOD_AT[""])
    size = [f"    size: {model.parameters / 1e9:.3g}  # billions of parameters"] if model.parameters else []
    reads = [one for one in model.reads if one != "text"]
    lines = [
        f"  {name}:  # {', '.join([server.title, *described(model)])}",
        "    description: |",
        f"      {description}",
        "      Parameters: query (str), what is asked. Returns: str, the answer.",
        f"    examples: {json.dumps(examples, ensure_ascii=False)}",
        f"    model: {json.dumps(server.reference(model.name))}",
        *size,
        *([f"    modalities: [{', '.join(reads)}]"] if reads else []),
    ]
    return "\n".join(lines) + "\n"


def new_project(folder: Path, spec: str = _SPEC) -> list[Path]:
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
        f"{name}.yaml": spec,
        "graph.py": _GRAPH,
        "langgraph.json": _LANGGRAPH,
        ".env.example": _ENVIRONMENT,
    }
    folder.mkdir(parents=True)
    for file, text in texts.items():
        (folder / file).write_text(text.format(name=name), encoding="utf-8")
    return [folder / file for file in texts]
