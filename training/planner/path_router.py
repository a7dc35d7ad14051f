"""Train a planner on gold paths, measure it on rows held out, and save the artifact.

octopus train router --graph G --paths rows.jsonl.gz --out DIR
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from agents.errors import InputError
from agents.octopus.encoder.artifact import save_artifact
from agents.octopus.encoder.zero_shot import Embed
from agents.octopus.planning.docstrings import Docstrings
from agents.octopus.planning.path_graph import PathGraph
from agents.octopus.planning.planner import Planner
from agents.octopus.planning.stored import to_planner
from training.planner.path_metrics import link_f1, node_f1
from training.planner.paths import PathRow
from training.planner.trainer import EmbeddedRows, PlannerSettings, train_next
from training.router.trainer import package_version

_LEAST_ROWS = 10
_HELD_OUT = 5  # every fifth row, at random

Progress = Callable[[float], None]


def train_path_router(
    rows: Sequence[PathRow],
    *,
    graph: PathGraph,
    docstrings: Docstrings,
    embed: Embed,
    name: str,
    spec_hash: str,
    out: Path,
    settings: PlannerSettings,
    progress: Progress = lambda share: None,
) -> dict[str, float]:
    """Train on all rows and save; returns the metrics of the manifest.

    They are those of a planner that was trained in the same way on four fifths of the rows, on the others.

    Args:
        rows: whose paths the graph has.
        graph: as planning reads it.
        docstrings: of its nodes.
        embed: the encoder.
        name: of the graph.
        spec_hash: of the spec, kept in the manifest.
        out: the artifact's folder.
        settings: hyper-parameters.
        progress: called with the share of the work just done.

    Raises:
        InputError: too few rows.
    """
    if len(rows) < _LEAST_ROWS:
        raise InputError(f"{len(rows)} paths are too few to train on; {_LEAST_ROWS} are needed.")
    embedded = EmbeddedRows.of(rows, graph, embed)
    progress(0.2)
    metrics = _held_out_metrics(embedded, graph, docstrings, embed, settings, progress)
    model = train_next(embedded, graph, docstrings, settings, lambda what, share: progress(0.4 * share))
    save_artifact(
        out,
        graph=name,
        spec_hash=spec_hash,
        masters={},
        training={"paths": len(rows), "steps": sum(len(row.steps) for row in rows)} | asdict(settings),
        versions={
            "python": platform.python_version(),
            "numpy": np.__version__,
            "octopus-graph": package_version("octopus-graph"),
        },
        planner=to_planner(model, metrics),
    )
    return metrics


def _held_out_metrics(
    rows: EmbeddedRows,
    graph: PathGraph,
    docstrings: Docstrings,
    embed: Embed,
    settings: PlannerSettings,
    progress: Progress,
) -> dict[str, float]:
    order = np.random.default_rng(settings.seed).permutation(len(rows.paths))
    held_out, seen = order[::_HELD_OUT], np.setdiff1d(order, order[::_HELD_OUT])
    model = train_next(
        rows.pick(seen.tolist()), graph, docstrings, settings, lambda what, share: progress(0.35 * share)
    )
    planner = Planner(graph, model, embed)
    found = [planner.plan(rows.requests[k]).path for k in held_out]
    gold = [tuple(graph.nodes[node] for node in rows.paths[k]) for k in held_out]
    pairs = list(zip(found, gold, strict=True))
    progress(0.05)
    return {
        "node_f1": _mean([node_f1(*pair) for pair in pairs]),
        "link_f1": _mean([link_f1(*pair) for pair in pairs]),
        "exact": _mean([path == right for path, right in pairs]),
        "held_out_paths": float(len(pairs)),
    }


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)
