"""Make up rows for the graph `subjects` from templates, their words, and each node's rewriting.

    python -m training.rows.template_rows --out rows.jsonl      # what `--tiny` trains on without --rows

Held-out rows come from templates that training rows never use.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from training.rows.labelled_rows import RouterRow

TEMPLATES = Path(__file__).parent.parent / "text" / "templates.yaml"
_FRAMED, _PADDED = 0.5, 0.4  # of the training rows
_GAP = re.compile(r"\{(\w+)\}")


class NodeTemplates(BaseModel):
    """Hold the templates of one node; `rewrite` contains `{query}`."""

    model_config = ConfigDict(extra="forbid")

    rewrite: str
    words: dict[str, list[str]]
    train: list[str]
    held_out: list[str]


class Templates(BaseModel):
    """Hold all templates, the sentences and words that fit every node, and the people in them."""

    model_config = ConfigDict(extra="forbid")

    who: list[str]
    frames: list[str]
    fillers: list[str]
    nodes: dict[str, NodeTemplates]

    @cached_property
    def own_words(self) -> dict[str, list[str]]:
        """Return the words of each node that no other node has."""
        words = {name: [w for some in own.words.values() for w in some] for name, own in self.nodes.items()}
        owners = Counter(word for some in words.values() for word in set(some))
        return {name: [word for word in some if owners[word] == 1] for name, some in words.items()}


@lru_cache(maxsize=1)
def load_templates(path: Path = TEMPLATES) -> Templates:
    """Load the templates of this project."""
    return Templates.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def template_rows(number: int, *, seed: int, held_out: bool = False) -> list[RouterRow]:
    """Make `number` rows, spread evenly over the nodes; the same seed makes the same rows."""
    templates, rng = load_templates(), random.Random(f"{seed}:{held_out}")  # noqa: S311 - rows
    nodes, rows = list(templates.nodes), []
    for place in range(number):
        node = nodes[place % len(nodes)]
        own = templates.nodes[node]
        framed = not held_out and rng.random() < _FRAMED
        known = templates.frames if framed else own.held_out if held_out else own.train
        words = own.words | {"word": templates.own_words[node], "who": templates.who}
        query = _filled(rng.choice(known), words, rng)
        if not held_out and rng.random() < _PADDED:
            query = _padded(query, rng.choices(templates.fillers, k=rng.randint(1, 2)), rng)
        rows.append(RouterRow(query=query, node=node, rewritten=own.rewrite.replace("{query}", query)))
    return rows


def _filled(template: str, words: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    person = rng.choice(words["who"])

    def word(gap: re.Match[str]) -> str:
        if gap[1] == "n":
            return str(rng.randint(2, 10 ** rng.randint(1, 4)))
        return person if gap[1] == "who" else rng.choice(words[gap[1]])

    return _GAP.sub(word, template)


def _padded(query: str, fillers: Sequence[str], rng: random.Random) -> str:
    said = query.split(" ")
    for filler in fillers:
        said.insert(rng.randint(0, len(said) - 1), filler)
    return " ".join(said)


def main() -> None:
    """Write the rows that the command line asks for."""
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
