"""Turn traces, with what users and verifiers said about them, into router rows, SFT rows and DPO pairs.

A run that a user liked, or a verifier passed, teaches where its question goes and what to answer. If the user
named another node or gave a better answer, that is taught instead. A DPO pair is a liked and a disliked
answer of the same worker to the same query, a better answer and the one it replaces, or a draft that passed
and one that failed.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.errors import InputError
from training.rows.labelled_rows import RouterRow, read_files

VERDICT_WEIGHT = 0.5  # of a verifier against a user: a verifier judges the answer, not the route


@dataclass
class TraceRows:
    """Hold what traces teach.

    Attributes:
        router: (query, node) rows.
        sft: prompt and completion, by worker.
        dpo: prompt, chosen and rejected, by worker.
        counts: runs, feedback, and what was left out, by reason.
    """

    router: list[RouterRow] = field(default_factory=list)
    sft: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    dpo: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def write(self, folder: Path) -> None:
        """Write router.jsonl, sft/WORKER.jsonl, dpo/WORKER.jsonl and, last, counts.json."""
        _write(
            folder / "router.jsonl",
            [row.model_dump(exclude_defaults=True) | {"node": row.node} for row in self.router],
        )
        for kind, by_node in (("sft", self.sft), ("dpo", self.dpo)):
            for node, rows in by_node.items():
                _write(folder / kind / f"{node}.jsonl", rows)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "counts.json").write_text(json.dumps(self.counts, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class LoggedRun:
    """Hold a logged run with its feedback, the latest of each kind."""

    question: str
    hops: list[dict[str, Any]]
    feedback: dict[str, Any]

    @property
    def score(self) -> int:
        """Return 1 for liked, -1 for disliked, 0 without a word."""
        return int(self.feedback.get("score", 0))


def read_traces(paths: Sequence[Path]) -> list[LoggedRun]:
    """Read the runs of trace logs.

    Raises:
        InputError: names file, line and what is wrong.
    """
    runs: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    feedback: dict[str, dict[str, Any]] = defaultdict(dict)
    for place, row in read_files(paths):
        match row:
            case {"turn": str(run), "feedback": dict(said)}:
                feedback[run] |= said
            case {"turn": str(run), "hops": list(hops), "question": str(question)}:
                runs[run] = (question, hops)
            case _:
                raise InputError(f"{place}: neither a run nor a feedback.")
    return [LoggedRun(question, hops, feedback.get(run, {})) for run, (question, hops) in runs.items()]


def rows_from(
    runs: Sequence[LoggedRun], nodes: Collection[str], *, master: str, keep_out: Collection[str] = ()
) -> TraceRows:
    """Collect what `runs` teach.

    Args:
        runs: from trace logs.
        nodes: neighbours of the master that is trained.
        master: the node whose decisions are taught.
        keep_out: questions of the gate, which may not be learnt.
    """
    found, apart = TraceRows(), {_plain(question) for question in keep_out}
    liked: dict[tuple[str, str], list[str]] = defaultdict(list)
    disliked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        found.counts["runs"] += 1
        if _plain(run.question) in apart:
            found.counts["of the gate"] += 1
            continue
        found.counts["with feedback"] += bool(run.feedback)
        _router_row(run, nodes, master, found)
        _answers(run, found, liked, disliked)
    for (node, query), better in liked.items():
        pairs = [(one, other) for one in better for other in disliked.get((node, query), ()) if one != other]
        found.dpo[node] += [{"prompt": query, "chosen": one, "rejected": other} for one, other in pairs]
    for node, pairs_of in found.dpo.items():
        found.dpo[node] = list({json.dumps(pair): pair for pair in pairs_of}.values())
    found.counts |= {
        "router rows": len(found.router),
        "sft rows": sum(map(len, found.sft.values())),
        "dpo pairs": sum(map(len, found.dpo.values())),
    }
    return found


def _router_row(run: LoggedRun, nodes: Collection[str], master: str, found: TraceRows) -> None:
    first = [hop for hop in run.hops if hop.get("master") == master]
    if "node" in run.feedback:
        node, weight = run.feedback["node"], 1.0
    elif len(first) != 1:  # parts of a compound question: none of them is where the whole belongs
        found.counts["not one decision"] += 1
        return
    elif run.score > 0:
        node, weight = first[0]["node"], 1.0
    elif run.score == 0 and first[0].get("verdict") == "passed":
        node, weight = first[0]["node"], VERDICT_WEIGHT
    else:
        found.counts["nothing said of the route"] += 1
        return
    if node is not None and node not in nodes:
        found.counts["unknown node"] += 1
        return
    found.router.append(RouterRow(query=run.question, node=node, weight=weight))


def _answers(
    run: LoggedRun,
    found: TraceRows,
    liked: dict[tuple[str, str], list[str]],
    disliked: dict[tuple[str, str], list[str]],
) -> None:
    answered = [hop for hop in run.hops if hop.get("status") == "answered" and hop.get("answer")]
    better = run.feedback.get("answer")
    moved = "node" in run.feedback and (not answered or answered[-1]["node"] != run.feedback["node"])
    for place, hop in enumerate(answered):
        key, last = (str(hop["node"]), str(hop["query"])), place == len(answered) - 1
        found.dpo[key[0]] += _drafts(hop)
        if better and last and not moved:
            liked[key].append(str(better))
            disliked[key].append(hop["answer"])
            found.sft[key[0]].append({"prompt": key[1], "completion": str(better)})
        elif run.score < 0 or hop.get("verdict") == "failed":
            disliked[key].append(hop["answer"])
        elif run.score > 0 or hop.get("verdict") == "passed":
            liked[key].append(hop["answer"])
            found.sft[key[0]].append({"prompt": key[1], "completion": hop["answer"]})


def _drafts(hop: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Pair every draft that passed with every one that failed."""
    drafts = hop.get("drafts", [])
    for good in (own["text"] for own in drafts if own["passed"]):
        for bad in (own["text"] for own in drafts if not own["passed"]):
            if good.strip() and bad.strip() and good != bad:
                yield {"prompt": hop["query"], "chosen": good, "rejected": bad}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
