"""Train the model that tells follow-ups from changes of subject.

    python -m training.router.follow_ups [--dialogues FILE] [--artifact DIR] [--out FILE]

It takes seconds and does not need torch. Run it again when the shipped encoder, the shipped mmlu artifact or
the dialogues change. The model learns from both the trained and the zero-shot head of mmlu, so that it holds
for any graph.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

import graphs
from agents.errors import InputError
from agents.octopus.conversation.follow_ups import FEATURES, MODEL, ReadTurn, follow_up_features
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import load_artifact, shipped_artifact
from agents.octopus.encoder.heads import Head, Untrained, trained_head
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from graphs.spec_file import load_spec
from training.linear import Floats
from training.rows.labelled_rows import read_json_lines

DIALOGUES = Path(__file__).parent.parent / "text" / "dialogues.jsonl"
GRAPH = "mmlu"
_FOLDS = 10
_STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)  # C of the logistic regression, the inverse of its L2 penalty


@dataclass(frozen=True)
class Pairs:
    """Hold turns, each with the earlier turn that set the subject.

    Attributes:
        features: [n, len(FEATURES)].
        follows: [n], whether the turn stays on the subject.
        group: [n], the opening question: dialogues that begin alike stay in one fold.
    """

    features: Floats
    follows: NDArray[np.bool_]
    group: NDArray[np.int64]


def read_pairs(dialogues: Sequence[dict[str, Any]], head: Head, encoder: Encoder, top: Path | None) -> Pairs:
    """Read the pairs of `dialogues` (rows with `turns` and `nodes`), each once, as `head` routes them."""
    texts = list(dict.fromkeys(text for row in dialogues for text in row["turns"]))
    vectors = dict(zip(texts, encoder.embed(texts, top=top), strict=True))
    turns = {text: ReadTurn(text, vectors[text], head.probabilities(text, vectors[text])) for text in texts}
    groups: dict[str, int] = {}
    found: dict[tuple[str, str], tuple[bool, int]] = {}
    for row in dialogues:
        subject = row["turns"][0]
        group = groups.setdefault(subject, len(groups))
        for text, node, before in zip(row["turns"][1:], row["nodes"][1:], row["nodes"], strict=False):
            found[text, subject] = (node == before, group)
            subject = subject if node == before else text
    return Pairs(
        np.array([follow_up_features(turns[text], turns[subject]) for text, subject in found]),
        np.array([follows for follows, _ in found.values()]),
        np.array([group for _, group in found.values()]),
    )


def fit(features: Floats, follows: NDArray[np.bool_], strength: float) -> tuple[Floats, float]:
    """Fit weights and bias for unscaled features; both classes count alike."""
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000)
    model.fit((features - mean) / spread, follows)
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ mean)


def held_out(pairs: Sequence[Pairs], strength: float, folds: int = _FOLDS) -> list[Floats]:
    """Return probabilities for each head's pairs, by models that saw no dialogue with the same opening."""
    first = pairs[0]
    found = [np.zeros(len(first.follows)) for _ in pairs]
    splitter = GroupKFold(folds, shuffle=True, random_state=0)
    for seen, unseen in splitter.split(first.features, groups=first.group):
        weights, bias = _fit_all(pairs, strength, seen)
        for probabilities, own in zip(found, pairs, strict=True):
            probabilities[unseen] = 1 / (1 + np.exp(-(own.features[unseen] @ weights + bias)))
    return found


def _fit_all(pairs: Sequence[Pairs], strength: float, rows: Any = slice(None)) -> tuple[Floats, float]:
    features = np.concatenate([own.features[rows] for own in pairs])
    follows = np.concatenate([own.follows[rows] for own in pairs])
    return fit(features, follows, strength)


def train(pairs: dict[str, Pairs], folds: int = _FOLDS) -> dict[str, Any]:
    """Return the model as it is stored: weights, bias, and figures from the cross-validation.

    Args:
        pairs: the same pairs as different heads see them.
        folds: of the cross-validation, which also chooses the penalty.

    Raises:
        InputError: there are fewer dialogues than folds.
    """
    heads = list(pairs.values())
    if len(set(heads[0].group.tolist())) < folds:
        raise InputError(f"too few dialogues for {folds} folds.", hint="Give more, or fewer folds.")
    follows = heads[0].follows

    def loss(strength: float) -> float:
        return float(np.mean([(p - follows) ** 2 for p in held_out(heads, strength, folds)]))

    strength = min(_STRENGTHS, key=loss)
    metrics = {"strength": strength, "pairs": float(len(follows)), "brier": loss(strength)}
    for name, probabilities in zip(pairs, held_out(heads, strength, folds), strict=True):
        metrics[f"{name}_stay"] = float((probabilities[follows] > 0.5).mean())
        metrics[f"{name}_move"] = float((probabilities[~follows] <= 0.5).mean())
    weights, bias = _fit_all(heads, strength)
    return {
        "weights": {name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True)},
        "bias": round(bias, 4),
        "metrics": {name: round(value, 4) for name, value in metrics.items()},
    }


def heads_of_mmlu(encoder: Encoder, artifact: Path | None) -> dict[str, tuple[Head, Path | None]]:
    """Return the zero-shot head of the mmlu graph and, from `artifact`, the trained one with its layers."""
    spec = load_spec(Path(graphs.__file__ or "").parent / f"{GRAPH}.yaml")
    nodes = spec.nodes
    names = nodes[spec.entry].neighbours
    candidates = [Candidate(name, nodes[name].description or name, nodes[name].examples) for name in names]
    heads: dict[str, tuple[Head, Path | None]] = {
        "zero_shot": (Untrained.of(ZeroShotHead.build(candidates, encoder.embed)), None)
    }
    if artifact is not None:
        loaded = load_artifact(artifact)
        part = loaded.masters[spec.entry]
        head = trained_head(part, candidates, lambda texts: encoder.embed(texts, top=loaded.top))
        heads["trained"] = (head, loaded.top)
    return heads


def main() -> None:
    """Train on the dialogues that the command line names, and write the model."""
    parser = argparse.ArgumentParser(description="Train the follow-up model.")
    parser.add_argument("--dialogues", type=Path, default=DIALOGUES)
    parser.add_argument("--artifact", type=Path, default=shipped_artifact(GRAPH))
    parser.add_argument("--out", type=Path, default=MODEL)
    arguments = parser.parse_args()
    encoder = Encoder()
    dialogues = [row for _, row in read_json_lines(arguments.dialogues)]
    heads = heads_of_mmlu(encoder, arguments.artifact)
    pairs = {name: read_pairs(dialogues, head, encoder, top) for name, (head, top) in heads.items()}
    model = train(pairs)
    arguments.out.write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
    figures = ", ".join(f"{name} {value:g}" for name, value in model["metrics"].items())
    print(f"{arguments.out}: {figures}")  # noqa: T201


if __name__ == "__main__":
    main()
