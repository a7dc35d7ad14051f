"""The background of zero-shot routing, from the tool descriptions and queries written for this project.

    python -m training.router.background [--tools FILE] [--out FILE]

Takes seconds. To be made again when the shipped encoder or the texts change.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.background import BACKGROUND_FILE, Background
from agents.octopus.encoder.bm25 import document_frequencies
from agents.octopus.encoder.zero_shot import Candidate, Embed, describe

TOOLS_FILE = Path(__file__).parent.parent / "text" / "tools.jsonl"


def build_background(tools: Sequence[Mapping[str, Any]], embed: Embed) -> Background:
    """Means and term frequencies of `tools` (rows with `name`, `description`, `queries`).

    Raises:
        ValueError: there are no tools.
    """
    if not tools:
        raise ValueError("a background needs tools: there are none")
    candidates = [Candidate(tool["name"], tool["description"]) for tool in tools]
    queries = [query for tool in tools for query in tool["queries"]]
    return Background(
        query_mean=embed(queries).mean(axis=0),
        description_mean=describe(candidates, embed).mean(axis=0),
        document_frequency=document_frequencies([f"{tool['name']}: {tool['description']}" for tool in tools]),
        size=len(tools),
    )


def read_tools(path: Path = TOOLS_FILE) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file of tools."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def main() -> None:
    """Run the command of the module's docstring."""
    parser = argparse.ArgumentParser(description="Make the background of zero-shot routing.")
    parser.add_argument("--tools", type=Path, default=TOOLS_FILE)
    parser.add_argument("--out", type=Path, default=BACKGROUND_FILE)
    arguments = parser.parse_args()
    build_background(read_tools(arguments.tools), Encoder().embed).save(arguments.out)


if __name__ == "__main__":
    main()
