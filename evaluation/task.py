"""Load tasks: versioned data with citation and licence, described in tasks/*.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from agents.errors import InputError
from training.rows.labelled_rows import read_json_lines
from training.rows.mmlu import NODE_OF

TASKS = Path(__file__).parent / "tasks"


class Task(BaseModel):
    """Describe a task.

    Attributes:
        version: raised whenever rows or scoring change.
        source: where public data can be had; "" when the data lies beside the task.
        files: pattern of the files, below the data folder, or beside the task.
        irrelevant: pattern of files whose rows have no right answer.
        columns: what every row must have.
        kinds: names for parts of the rows.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    version: int
    description: str
    citation: str
    licence: str
    source: str = ""
    files: str
    irrelevant: str = ""
    columns: list[str]
    kinds: dict[str, str] = {}

    def rows(self, data: Path | None = None, *, irrelevant: bool = False) -> list[dict[str, Any]]:
        """Return all rows.

        Args:
            data: folder of public data; a task with data of its own needs none.
            irrelevant: return the rows without a right answer instead.

        Raises:
            InputError: no file is there, or a row lacks a column.
        """
        return list(self._rows(data, self.irrelevant if irrelevant else self.files))

    def _rows(self, data: Path | None, pattern: str) -> Iterator[dict[str, Any]]:
        folder = data if self.source else TASKS
        paths = sorted(folder.glob(pattern)) if folder else []
        if not paths:
            raise InputError(
                f"task {self.name!r} finds no {pattern} in {str(folder) if folder else 'no data folder'!r}.",
                hint=f"Give --data with a folder that holds it, from {self.source or 'this project'}.",
            )
        for path in paths:
            for number, row in read_json_lines(path):
                missing = [column for column in self.columns if column not in row]
                if missing:
                    raise InputError(f"{path}:{number}: the row has no {missing[0]!r}.")
                yield row


def load_task(name: str) -> Task:
    """Return the task named `name`.

    Raises:
        InputError: there is none, or its description is wrong.
    """
    path = TASKS / f"{name}.yaml"
    try:
        return Task.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        known = ", ".join(sorted(file.stem for file in TASKS.glob("*.yaml")))
        raise InputError(f"task {name!r} cannot be read: {error}.", hint=f"Known tasks: {known}.") from error


def read_exam(data: Path, *, limit: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
    """Return MMLU's test rows below `data`, or a random `limit` of them.

    Raises:
        InputError: there are none, or one is of an unknown subject.
    """
    rows = load_task("mmlu").rows(data)
    if limit is not None and limit < len(rows):
        chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:limit])
        rows = [rows[k] for k in chosen]
    unknown = next((row["subject"] for row in rows if row["subject"] not in NODE_OF), None)
    if unknown is not None:
        raise InputError(f"{unknown!r} is not a subject of MMLU.")
    return rows
