"""Checkpoints of a training that can be killed at any moment: only complete ones are gone on from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

_COMPLETE = "complete"  # written last


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint below `folder`; those that were cut off are deleted."""
    found = []
    for path in folder.glob("checkpoint-*"):
        if (path / _COMPLETE).exists():
            found.append(path)
        else:
            shutil.rmtree(path)
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def keeper(advance: Callable[[float], None]) -> Any:
    """A callback of transformers' Trainer that marks complete checkpoints and reports each step."""
    from transformers import TrainerCallback

    class Keeper(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _COMPLETE).touch()

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(1 / state.max_steps)

    return Keeper()
