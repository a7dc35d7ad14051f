"""Make rows for the mmlu graph from the public MMLU files and this project's own text.

    python -m training.rows.mmlu --data DIR --out rows.jsonl.gz
    python -m training.rows.mmlu --data DIR --out rows.jsonl.gz --languages     # for the multilingual encoder

`--data` holds `mmlu/dev.jsonl.gz` and `mmlu/val.jsonl.gz`: JSON lines with subject, question, choices and
answer, as published by Hendrycks et al. (https://github.com/hendrycks/test, MIT). Test rows are never read.
`--languages` adds our own questions in 26 languages, and `multilingual/exams_train.jsonl.gz` of `--data`: the
same columns and `group`, from EXAMS (M. Hardalov et al., EMNLP 2020; CC BY-SA 4.0).
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.rows.labelled_rows import RouterRow, read_json_lines

TEXT = Path(__file__).parent.parent / "text"
OWN_WEIGHT = 0.4  # of a row of our own text against a real exam question

SUBJECTS: dict[str, tuple[str, ...]] = {
    node: tuple(subjects.split())
    for node, subjects in {
        "physics": "astronomy college_physics conceptual_physics high_school_physics",
        "chemistry": "college_chemistry high_school_chemistry",
        "biology": "college_biology high_school_biology",
        "computer_science": (
            "college_computer_science computer_security high_school_computer_science machine_learning"
        ),
        "math": (
            "abstract_algebra college_mathematics elementary_mathematics high_school_mathematics "
            "high_school_statistics"
        ),
        "electrical_engineering": "electrical_engineering",
        "history": "high_school_european_history high_school_us_history high_school_world_history prehistory",
        "philosophy": (
            "formal_logic logical_fallacies moral_disputes moral_scenarios philosophy world_religions"
        ),
        "law": "international_law jurisprudence professional_law",
        "politics": "high_school_government_and_politics public_relations security_studies us_foreign_policy",
        "culture": "human_sexuality sociology",
        "economics": "econometrics high_school_macroeconomics high_school_microeconomics",
        "geography": "high_school_geography",
        "psychology": "high_school_psychology professional_psychology",
        "business": "business_ethics management marketing",
        "health": (
            "anatomy clinical_knowledge college_medicine human_aging medical_genetics nutrition "
            "professional_medicine virology"
        ),
        "general": "global_facts miscellaneous professional_accounting",
    }.items()
}
NODE_OF = {subject: node for node, subjects in SUBJECTS.items() for subject in subjects}


def with_choices(row: dict[str, Any]) -> str:
    """Return the question, followed by the choices on a line each."""
    return "\n".join([row["question"], *row["choices"]])


def exam_row(row: dict[str, Any], subject: str, *, own: bool) -> RouterRow:
    """Make a row of a multiple-choice question, with and without its choices."""
    return RouterRow(
        query=row["question"],
        variants=(with_choices(row),),
        node=NODE_OF[subject],
        facet=subject,
        weight=OWN_WEIGHT if own else 1.0,
        held_out=not own,
    )


def mmlu_rows(data: Path) -> Iterator[RouterRow]:
    """Yield all training rows: MMLU dev and val, our exam-style text, our chatty queries."""
    for name in ("dev", "val"):
        for _, row in read_json_lines(data / "mmlu" / f"{name}.jsonl.gz"):
            yield exam_row(row, row["subject"], own=False)
    for path in sorted((TEXT / "mmlu").glob("*.jsonl")):
        for _, row in read_json_lines(path):
            yield exam_row(row, path.stem, own=True)
    for path in sorted((TEXT / "queries").glob("*.jsonl")):
        node = None if path.stem == "none" else path.stem
        for _, row in read_json_lines(path):
            yield RouterRow(query=row["query"], node=node, facet="", weight=OWN_WEIGHT, held_out=False)


def multilingual_rows(data: Path) -> Iterator[RouterRow]:
    """Yield the rows for the multilingual encoder: those above, ours in other languages, those of EXAMS.

    What is labelled "none" above because MiniLM does not read it has its own label among ours.
    """
    ours = [row for _, row in read_json_lines(TEXT / "multilingual.jsonl")]
    foreign = {row["query"] for row in ours}
    yield from (row for row in mmlu_rows(data) if row.query not in foreign)
    for row in ours:
        variants = ("\n".join([row["query"], *row["choices"]]),) if "choices" in row else ()
        yield RouterRow(query=row["query"], variants=variants, node=row["node"])
    for _, row in read_json_lines(data / "multilingual" / "exams_train.jsonl.gz"):
        node = row["group"].replace(" ", "_")
        yield RouterRow(query=row["question"], variants=(with_choices(row),), node=node)


def main() -> None:
    """Write the rows to the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--languages", action="store_true", help="rows for the multilingual encoder")
    arguments = parser.parse_args()
    make = multilingual_rows if arguments.languages else mmlu_rows
    with gzip.open(arguments.out, "wt", encoding="utf-8") as file:
        for row in make(arguments.data):
            file.write(row.model_dump_json() + "\n")


if __name__ == "__main__":
    main()
