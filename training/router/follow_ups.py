"""Train the model that tells follow-ups from changes of subject.

    python -m training.router.follow_ups [--data DIR] [--dialogues FILE] [--artifact DIR] [--out FILE]

It takes minutes and does not need torch. Run it again when the shipped encoder, the shipped mmlu artifact or
the dialogues change. DIR holds dialogues of other graphs: `sgd_a`, `mtrag_a` and `cast_mmlu_a`, each with
{"messages", "kind", "accept"}, and the task graphs of the first two. The model learns from trained and
zero-shot heads, with the extra `languages` (which it needs) and without, so that it holds for any graph.
Beside the cross-validation stand the figures of every set by a model that was trained without it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

import graphs
from agents.octopus.conversation.follow_ups import (
    EXPONENTS,
    FEATURES,
    MODEL,
    TEXT_FEATURES,
    FollowUpModel,
    as_one_text,
    speaks_only,
    text_features,
)
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import shipped_artifact
from agents.octopus.encoder.octopus import EncoderOctopus
from graphs.routing import Routing
from graphs.settings import GraphSettings
from graphs.spec_file import load_spec
from training.linear import Floats
from training.rows.dialogues import Dialogue, own_dialogues, read_dialogues, task_graph_spec

DIALOGUES = Path(__file__).parent.parent / "text" / "dialogues.jsonl"
GRAPH = "mmlu"
_FOLDS = 5
_PENALTY = 0.003  # L2, on how far weights are from 0 and exponents from where they begin
_READING = 0.3  # how much it counts to tell follow-ups from changes, beside finding the node
_REPLIED, _ALONE = 0.7, 0.6  # the share of follow-ups, by weight, with the assistant's words and without
_LAST = 4  # turns that are learnt from
_BEGIN = np.array([1.0, 0.7, 0.7, 1.0, *np.zeros(len(FEATURES) + 1)])
_TRIED = 120  # iterations


Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Heard:
    """Hold the dialogues of one set as one graph routes them, aligned at their last turns.

    Attributes:
        own, exchange: [rows, turns, n + 1] probabilities of a turn alone, and of the exchange up to it.
        said: [rows, turns, len(TEXT_FEATURES)].
        begins: [rows], which of the turns is the first.
        accepted: [rows, n], the right nodes of the last turn.
        follows: [rows], whether it stays on the subject.
        fold: [rows], for cross-validation: rows of a conversation have the same.
    """

    own: Floats
    exchange: Floats
    said: Floats
    begins: NDArray[np.int64]
    accepted: Rows
    follows: Rows
    fold: NDArray[np.int64]

    def weights(self, rows: Rows) -> Floats:
        """Return a weight [rows] for each of the chosen `rows`.

        Follow-ups count more than changes, most where the assistant's words are known: most turns of a real
        dialogue stay.
        """
        found, replied = np.zeros(len(rows)), self.said[:, -1, TEXT_FEATURES.index("has_reply")].mean() > 0.5
        share = _REPLIED if replied else _ALONE
        for kind, part in ((self.follows & rows, share), (~self.follows & rows, 1 - share)):
            found[kind] = part / max(1, kind.sum())
        return found


def hear(dialogues: Sequence[Dialogue], octopus: EncoderOctopus) -> Heard:
    """Route the turns of `dialogues`, but for those that no model decides: first turns and speaking acts."""
    told = [one for one in dialogues if one.follows is not None and not speaks_only(one.turns[-1].text)]
    nodes = [str(edge.node) for edge in octopus.neighbours]
    own = np.full((len(told), _LAST, len(nodes) + 1), 1 / (len(nodes) + 1))
    exchange, said = own.copy(), np.zeros((len(told), _LAST, len(TEXT_FEATURES)))
    begins = np.zeros(len(told), dtype=np.int64)
    for row, dialogue in enumerate(told):
        *earlier, last = dialogue.turns
        turns = [*(turn for turn in earlier if not speaks_only(turn.text)), last][-_LAST:]
        turns = turns if len(turns) > 1 else list(dialogue.turns[-2:])
        begins[row] = _LAST - len(turns)
        for end in range(1, len(turns) + 1):
            place = begins[row] + end - 1
            own[row, place] = octopus.hear(turns[end - 1].text).probabilities
            if end > 1:
                exchange[row, place] = octopus.hear(as_one_text(turns[:end])).probabilities
                said[row, place] = text_features(turns[:end], octopus.hear)
    conversations = {name: k for k, name in enumerate(dict.fromkeys(one.conversation for one in told))}
    return Heard(
        own,
        exchange,
        said,
        begins,
        np.array([[node in one.accepted for node in nodes] for one in told]),
        np.array([bool(one.follows) for one in told]),
        np.array([conversations[one.conversation] % _FOLDS for one in told]),
    )


def believe(model: FollowUpModel, heard: Heard) -> tuple[Floats, Floats]:
    """Return the belief [rows, n] after the last turns, and the probability [rows] that they follow up."""
    first = heard.own[np.arange(len(heard.begins)), heard.begins]
    belief, stays = model.begin(first), np.zeros(len(heard.begins))
    for turn in range(1, _LAST):
        later = heard.begins < turn
        if later.any():
            each = (heard.own[later, turn], heard.exchange[later, turn], heard.said[later, turn])
            belief[later], stays[later] = model.go_on(belief[later], *each)
    return belief, stays


def _model(parameters: Floats) -> FollowUpModel:
    count = len(EXPONENTS)
    exponents = dict(zip(EXPONENTS, map(float, parameters[:count]), strict=True))
    return FollowUpModel(parameters[count:-1], float(parameters[-1]), exponents)


def fit(sets: Sequence[tuple[Heard, Rows]], start: Floats = _BEGIN, tried: int = _TRIED) -> Floats:
    """Return the parameters that make the right nodes of the chosen rows likeliest; sets count alike."""
    chosen = [(heard, heard.weights(rows)) for heard, rows in sets]

    def loss(parameters: Floats) -> float:
        model, total = _model(parameters), _PENALTY * float(((parameters - _BEGIN) ** 2).sum())
        for heard, weights in chosen:
            belief, stays = believe(model, heard)
            right = (belief * heard.accepted).sum(axis=1)
            read = np.where(heard.follows, stays, 1 - stays)
            total -= float(weights @ (np.log(right + 1e-3) + _READING * np.log(read + 1e-3))) / len(chosen)
        return total

    found = minimize(loss, start, method="L-BFGS-B", options={"maxiter": tried, "maxfun": 10**6})
    return np.asarray(found.x)


def figures(heard: Heard, belief: Floats, stays: Floats) -> dict[str, float]:
    """Return which shares of follow-ups and of changes go to the right node and are read as what they are."""
    right = heard.accepted[np.arange(len(belief)), belief.argmax(axis=1)]
    read = (stays > 0.5) == heard.follows
    kinds = {"follow_ups": heard.follows, "changes": ~heard.follows}
    shares = {kind: float(right[rows].mean()) for kind, rows in kinds.items()}
    return shares | {f"{kind}_read": float(read[rows].mean()) for kind, rows in kinds.items()}


def cross_validated(sets: Mapping[str, Heard], start: Floats, folds: int = _FOLDS) -> dict[str, Any]:
    """Return the figures of each set, by models that saw no row of the same conversation in any graph."""
    found = {
        name: (np.zeros(heard.accepted.shape), np.zeros(len(heard.fold))) for name, heard in sets.items()
    }
    for fold in range(folds):
        model = _model(fit([(heard, heard.fold % folds != fold) for heard in sets.values()], start))
        for name, heard in sets.items():
            belief, stays = believe(model, heard)
            unseen = heard.fold % folds == fold
            found[name][0][unseen], found[name][1][unseen] = belief[unseen], stays[unseen]
    return {name: figures(sets[name], *own) for name, own in found.items()}


def left_out(sets: Mapping[str, Heard], start: Floats) -> dict[str, Any]:
    """Return the figures of each set by a model that saw nothing of it, in no graph."""
    found: dict[str, Any] = {}
    families = {name: name.partition(",")[0] for name in sets}
    for family in dict.fromkeys(families.values()):
        others = [(heard, heard.fold >= 0) for name, heard in sets.items() if families[name] != family]
        if others:
            model = _model(fit(others, start))
            own = {name: heard for name, heard in sets.items() if families[name] == family}
            found |= {name: figures(heard, *believe(model, heard)) for name, heard in own.items()}
    return found


def train(sets: Mapping[str, Heard]) -> dict[str, Any]:
    """Return the model as it is stored: weights, bias, exponents, and its figures."""
    parameters = fit([(heard, heard.fold >= 0) for heard in sets.values()])
    model = _model(parameters)
    return {
        "weights": {name: round(float(w), 4) for name, w in zip(FEATURES, model.weights, strict=True)},
        "bias": round(model.bias, 4),
        "exponents": {name: round(value, 4) for name, value in model.exponents.items()},
        "rows": {name: len(heard.fold) for name, heard in sets.items()},
        "cross_validated": cross_validated(sets, parameters),
        "without_the_set": left_out(sets, parameters),
    }


def listen(dialogues: Path, artifact: Path | None, data: Path | None) -> dict[str, Heard]:
    """Return the sets by name, and by what routes one, with the extra `languages` and without it."""
    settings = GraphSettings.read({})
    plain = settings.model_copy(update={"languages": False})
    found = _listen(dialogues, artifact, data, plain)
    both = _listen(dialogues, artifact, data, settings)
    return found | {f"{name}, with languages": heard for name, heard in both.items()}


def _listen(
    dialogues: Path, artifact: Path | None, data: Path | None, settings: GraphSettings
) -> dict[str, Heard]:
    """Return the sets by name, and by graph where several route one: "cast, zero-shot"."""
    encoder = Encoder()
    mmlu = load_spec(Path(graphs.__file__ or "").parent / f"{GRAPH}.yaml")
    routings = {", zero-shot": Routing(mmlu, settings, encoder, zero_shot=True)}
    if artifact is not None:
        routings = {"": Routing(mmlu, settings, encoder, artifact), **routings}
    own = own_dialogues(dialogues)
    sets = {"own": own} | ({"cast": read_dialogues(data / "cast_mmlu_a.jsonl.gz")} if data else {})
    found: dict[str, Heard] = {}
    for graph, routing in routings.items():
        octopus = routing.encoder_octopus(mmlu.entry)
        found |= {f"{name}{graph}": hear(rows, octopus) for name, rows in sets.items()}
    if data is None:
        return found
    for name in ("sgd", "mtrag"):
        spec = task_graph_spec(data / f"{name}_workers.json")
        octopus = Routing(spec, settings, encoder).encoder_octopus(spec.entry)
        found[name] = hear(read_dialogues(data / f"{name}_a.jsonl.gz"), octopus)
    return found


def main() -> None:
    """Train on the dialogues that the command line names, and write the model."""
    parser = argparse.ArgumentParser(description="Train the follow-up model.")
    parser.add_argument("--dialogues", type=Path, default=DIALOGUES)
    parser.add_argument("--data", type=Path, help="folder of dialogues of other graphs")
    parser.add_argument("--artifact", type=Path, default=shipped_artifact(GRAPH))
    parser.add_argument("--out", type=Path, default=MODEL)
    arguments = parser.parse_args()
    model = train(listen(arguments.dialogues, arguments.artifact, arguments.data))
    arguments.out.write_text(json.dumps(rounded(model), indent=2) + "\n", encoding="utf-8")
    for how in ("cross_validated", "without_the_set"):
        for name, own in model[how].items():
            shares = ", ".join(f"{kind} {100 * value:.1f}" for kind, value in own.items())
            print(f"{how}, {name}: {shares}")  # noqa: T201


def rounded(value: Any) -> Any:
    """Return `value` with its figures to four digits."""
    if isinstance(value, dict):
        return {key: rounded(own) for key, own in value.items()}
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
