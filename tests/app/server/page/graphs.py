"""Graphs that the page is shown."""

from __future__ import annotations

from pathlib import Path

PRICED = """\
name: priced
entry: chief
masters:
  chief: {neighbours: [cooking, maths, garden], generalist: cooking}
workers:
  cooking: {description: "Recipes, and how to cook and bake food.", price: {input: 1000, output: 2000}}
  maths: {description: "Calculus: derivatives, integrals and limits of functions.", tools: [calculus]}
  garden: {description: "Plants, flowers, vegetables and soil in the garden."}
"""


def large(nodes: int, *, name: str) -> str:
    """One master over `nodes - 1` workers."""
    workers = [f"tool_{k}_{('search', 'convert', 'book')[k % 3]}" for k in range(nodes - 1)]
    lines = [f"  {worker}: {{description: 'Does task {k}.'}}" for k, worker in enumerate(workers)]
    head = f"name: {name}\nmasters:\n  hub: {{neighbours: [{', '.join(workers)}]}}\nworkers:\n"
    return head + "\n".join(lines) + "\n"


def teams() -> str:
    """Masters under a master: 300 nodes on three levels, some of which have neighbours across."""
    names = [f"team{k}" for k in range(13)]
    masters = [f"  root: {{neighbours: [{', '.join(names)}]}}"]
    workers = []
    for k, name in enumerate(names):
        members = [f"{name}_member{j}" for j in range(22)]
        masters.append(f"  {name}: {{description: 'Team {k}.', neighbours: [{', '.join(members)}]}}")
        workers += [f"  {member}: {{description: 'Does what {member} does.'}}" for member in members]
    text = "\n".join(["name: teams", "entry: root", "masters:", *masters, "workers:", *workers]) + "\n"
    across = "neighbours: [team1_member0, team2_member3]"
    return text.replace("'Does what team0_member0 does.'", f"'Does what team0_member0 does.', {across}")


def written(folder: Path) -> tuple[str, ...]:
    """The paths of all of them, in `folder`."""
    texts = {
        "priced": PRICED,
        "tiny": large(3, name="tiny"),
        "large": large(300, name="large"),
        "teams": teams(),
    }
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return tuple(str(folder / f"{name}.yaml") for name in texts)
