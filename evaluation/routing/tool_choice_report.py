"""`octopus eval tools`: choosing functions zero-shot, beside the plain cosine."""

from __future__ import annotations

from pathlib import Path

from agents.octopus.encoder.zero_shot import Embed, ZeroShotHead
from evaluation.report import Report, share, table
from evaluation.routing.benchmark import plain
from evaluation.routing.tool_choice import CosineHead, evaluate_choice, evaluate_ranking
from evaluation.task import load_task


def evaluate_tools(data: Path, embed: Embed) -> Report:
    """Choice among each row's candidates, ranking over all functions, and abstaining.

    Raises:
        InputError: there is no data, or it is not that of the leaderboard.
    """
    task = load_task("bfcl")
    rows, irrelevant = task.rows(data), task.rows(data, irrelevant=True)
    figures, lines = {}, []
    for name, build in (("**Octopus, zero-shot**", ZeroShotHead.build), ("cosine", CosineHead)):
        choice = evaluate_choice(rows, irrelevant, embed, build)
        ranking = evaluate_ranking(rows, embed, build)
        figures[name.strip("*")] = {"choice": plain(choice), "ranking": plain(ranking)}
        shares = (choice.accuracy, choice.abstain_auroc, ranking.top1, ranking.top5)
        lines.append([name, *map(share, shares)])
    headings = (
        "router",
        f"choice % ({len(rows)} rows)",
        f"AUROC of abstaining % ({len(irrelevant)})",
        f"top-1 % of {ranking.functions}",
        "top-5 %",
    )
    return Report("tools", table(headings, lines), {"task": task.version, **figures})
