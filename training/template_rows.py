"""Made-up rows for the graph `subjects`: templates, their words, and what each node's query is rewritten to.

    python -m training.template_rows --out rows.jsonl          # those that `--tiny` trains on without --rows

Held-out rows come from templates that training rows never use.
"""

from __future__ import annotations

import argparse
import random
import re
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from training.rows import RouterRow

TEMPLATES = Path(__file__).parent / "text" / "templates.yaml"
_GAP = re.compile(r"\{(\w+)\}")


class NodeTemplates(BaseModel):
    """Templates of one node; `rewrite` holds `{query}`."""

    model_config = ConfigDict(extra="forbid")

    rewrite: str
    words: dict[str, list[str]]
    train: list[str]
    held_out: list[str]


class Templates(BaseModel):
    """All templates, and the persons in them."""

    model_config = ConfigDict(extra="forbid")

    who: list[str]
    nodes: dict[str, NodeTemplates]


@lru_cache(maxsize=1)
def load_templates(path: Path = TEMPLATES) -> Templates:
    """The templates of this project."""
    return Templates.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def template_rows(number: int, *, seed: int, held_out: bool = False) -> list[RouterRow]:
    """`number` rows, evenly over the nodes; a seed gives the same again."""
    templates, rng = load_templates(), random.Random(f"{seed}:{held_out}")  # noqa: S311 - rows
    nodes, rows = list(templates.nodes), []
    for place in range(number):
        node = nodes[place % len(nodes)]
        own = templates.nodes[node]
        query = _filled(rng.choice(own.held_out if held_out else own.train), own, templates.who, rng)
        rows.append(RouterRow(query=query, node=node, rewritten=own.rewrite.replace("{query}", query)))
    return rows


def _filled(template: str, own: NodeTemplates, who: list[str], rng: random.Random) -> str:
    person = rng.choice(who)

    def word(gap: re.Match[str]) -> str:
        if gap[1] == "n":
            return str(rng.randint(2, 10 ** rng.randint(1, 4)))
        return person if gap[1] == "who" else rng.choice(own.words[gap[1]])

    return _GAP.sub(word, template)


def main() -> None:
    """Write rows from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--number", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true")
    arguments = parser.parse_args()
    rows = template_rows(arguments.number, seed=arguments.seed, held_out=arguments.held_out)
    arguments.out.write_text("".join(f"{row.model_dump_json()}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
