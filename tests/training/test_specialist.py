"""Train a small real model by SFT, then DPO: held-out rows improve, and a killed run ends the same."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError
from tests.training.tiny_model import ADJECTIVES, NOUNS, long_answer, make_base, prompt_of, short_answer

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]

Made = tuple[Path, dict[str, Any]]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def sft_rows(path: Path) -> Path:
    """Write long and short answers at random, between which DPO then has to decide."""
    rng, pairs = random.Random(0), list(itertools.product(ADJECTIVES, NOUNS))
    answers = (long_answer, short_answer)
    return write(path, [{"prompt": prompt_of(*p), "completion": rng.choice(answers)(*p)} for p in pairs * 4])


def dpo_rows(path: Path) -> Path:
    pairs = itertools.product(ADJECTIVES, NOUNS)
    rows = [{"prompt": prompt_of(*p), "chosen": short_answer(*p), "rejected": long_answer(*p)} for p in pairs]
    return write(path, rows)


@pytest.fixture(scope="module")
def settings() -> Any:
    from training.trl_trainers import SpecialistSettings

    return SpecialistSettings(
        rank=0, epochs=12, batch=32, learning_rate=3e-3, max_length=32, held_out=0.15, save_steps=40
    )


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, settings: Any) -> Made:
    from training.specialist import train_specialist

    folder = tmp_path_factory.mktemp("sft")
    base, rows = make_base(folder / "base"), sft_rows(folder / "rows.jsonl")
    out = folder / "out"
    return out, train_specialist("sft", model=str(base), rows=[rows], out=out, settings=settings)


@pytest.fixture(scope="module")
def preferring(tmp_path_factory: pytest.TempPathFactory, tuned: Made, settings: Any) -> Made:
    """Train a LoRA adapter on the tuned model by DPO."""
    from training.specialist import train_specialist

    folder = tmp_path_factory.mktemp("dpo")
    lora = replace(settings, rank=8, epochs=4, learning_rate=2e-3, batch=16, save_steps=10)
    rows = dpo_rows(folder / "pairs.jsonl")
    out = folder / "out"
    return out, train_specialist("dpo", model=str(tuned[0]), rows=[rows], out=out, settings=lora)


def test_sft_lowers_the_held_out_loss(tuned: Made) -> None:
    out, metrics = tuned
    assert metrics["before"]["exact"] == 0.0
    assert metrics["after"]["loss"] < 0.5 * metrics["before"]["loss"]
    assert metrics["after"]["exact"] > 0.2
    assert (out / "loss.png").stat().st_size > 1000
    assert json.loads((out / "metrics.json").read_text())["after"] == metrics["after"]
    assert not (out / "checkpoints").exists()


def test_dpo_starts_at_ln_2_and_moves_held_out_preference(preferring: Made) -> None:
    _, metrics = preferring
    assert metrics["step_0_loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert metrics["after"]["preferred"] >= metrics["before"]["preferred"]
    assert metrics["after"]["preferred"] > 0.9
    assert metrics["after"]["exact"] > metrics["before"]["exact"]


def test_the_result_loads_in_transformers_and_peft(preferring: Made) -> None:
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out, metrics = preferring
    tokenizer: Any = AutoTokenizer.from_pretrained(out)
    for loader in (AutoModelForCausalLM, AutoPeftModelForCausalLM):
        model: Any = loader.from_pretrained(out)
        ids = tokenizer(prompt_of("red", "door"), return_tensors="pt")
        said = model.generate(**ids, max_new_tokens=4, do_sample=False)[0, ids["input_ids"].shape[1] :]
        assert tokenizer.decode(said, skip_special_tokens=True) == "it is red"
    asked = [{"role": "user", "content": prompt_of("red", "door")}]
    assert tokenizer.apply_chat_template(asked, tokenize=False) == prompt_of("red", "door")
    assert metrics["after"]["exact"] > 0.5


def test_dpo_continues_an_adapter(preferring: Made, tmp_path: Path, settings: Any) -> None:
    """Check that the reference is a copy of that adapter, whatever it has learnt."""
    from training.specialist import train_specialist

    lora = replace(settings, rank=8, epochs=1, learning_rate=1e-4)
    rows = dpo_rows(tmp_path / "pairs.jsonl")
    metrics = train_specialist(
        "dpo", model=str(preferring[0]), rows=[rows], out=tmp_path / "out", settings=lora
    )
    assert metrics["step_0_loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert not (tmp_path / "out" / "ref").exists()


def test_a_wrong_reference_is_noticed(tuned: Made, tmp_path: Path, settings: Any) -> None:
    import torch

    from training.rows.specialist import SpecialistRow
    from training.specialist import load_model, load_tokenizer
    from training.trl_trainers import check_reference, make_trainer

    model, tokenizer = load_model(str(tuned[0]), settings), load_tokenizer(str(tuned[0]))
    rows = [
        SpecialistRow("", prompt_of("red", n), (short_answer("red", n), long_answer("red", n))) for n in NOUNS
    ]
    trainer = make_trainer("dpo", model, tokenizer, (rows, rows), settings, tmp_path)
    with torch.no_grad():
        trainer.model.lm_head.weight.mul_(1.5)
    with pytest.raises(RuntimeError, match=r"not 0\.6931"):
        check_reference(trainer)


def test_chat_rows_are_trained_on(tmp_path: Path, settings: Any) -> None:
    from training.specialist import train_specialist

    base = make_base(tmp_path / "base", chat=True)
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"see the red {noun}"},
                {"role": "assistant", "content": "it is red"},
            ]
        }
        for noun in NOUNS
    ]
    short = replace(settings, rank=4, epochs=8, batch=4)
    metrics = train_specialist(
        "sft",
        model=str(base),
        rows=[write(tmp_path / "chat.jsonl", rows)],
        out=tmp_path / "out",
        settings=short,
    )
    assert metrics["after"]["loss"] < metrics["before"]["loss"]


def test_chat_rows_need_a_template(tmp_path: Path, settings: Any) -> None:
    from training.specialist import train_specialist

    base = make_base(tmp_path / "base")
    messages = [{"role": "user", "content": "see"}, {"role": "assistant", "content": "it"}]
    path = write(tmp_path / "chat.jsonl", [{"messages": messages}, {"messages": messages}])
    with pytest.raises(InputError, match="no chat template"):
        train_specialist("sft", model=str(base), rows=[path], out=tmp_path / "out", settings=settings)


def command(base: Path, rows: Path, out: Path) -> list[str]:
    options = "--rank 0 --epochs 6 --batch 32 --learning-rate 0.003 --max-length 32 --save-steps 8".split()
    start = [sys.executable, "-c", "from app.cli import main; main()", "train", "specialist", "sft"]
    return [*start, "--model", str(base), "--rows", str(rows), "--out", str(out), *options]


def test_a_killed_run_ends_with_the_same_numbers(tmp_path: Path) -> None:
    base, rows = make_base(tmp_path / "base"), sft_rows(tmp_path / "rows.jsonl")
    subprocess.run(command(base, rows, tmp_path / "whole"), check=True, capture_output=True)
    process = subprocess.Popen(command(base, rows, tmp_path / "killed"), stderr=subprocess.DEVNULL)
    work, deadline = tmp_path / "killed" / "checkpoints", time.monotonic() + 200
    while not list(work.glob("checkpoint-*/complete")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "metrics.json").exists(), "it was killed too late"
    # A checkpoint that was cut off is not gone on from.
    (work / "checkpoint-900").mkdir()
    subprocess.run(command(base, rows, tmp_path / "killed"), check=True, capture_output=True)
    whole, killed = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "killed")
    )
    assert killed["after"] == whole["after"]
    losses = [[entry["loss"] for entry in own["history"] if "loss" in entry] for own in (whole, killed)]
    assert losses[0] == losses[1] and len(losses[0]) > 10


def test_a_folder_of_another_run_is_refused(tuned: Made, tmp_path: Path, settings: Any) -> None:
    from training.specialist import train_specialist

    rows = sft_rows(tmp_path / "rows.jsonl")
    with pytest.raises(InputError, match="holds a finished training"):
        train_specialist("sft", model=str(tuned[0]), rows=[rows], out=tuned[0], settings=settings)


def test_a_run_does_not_continue_where_a_row_has_changed(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Change rows that are trained on or measured; the kill comes before the model is loaded."""
    from training import specialist

    def killed(*arguments: Any) -> Any:
        raise RuntimeError("killed")

    def run(changed: int | None = None) -> None:
        rows = [{"prompt": prompt_of("red", noun), "completion": " it is red"} for noun in NOUNS[:4]]
        if changed is not None:
            rows[changed]["completion"] = " it is old"
        path = write(tmp_path / "rows.jsonl", rows)
        out = tmp_path / "out"
        specialist.train_specialist("sft", model=str(base), rows=[path], out=out, settings=settings)

    base = make_base(tmp_path / "base")
    monkeypatch.setattr(specialist, "load_model", killed)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="killed"):
            run()
    for changed in range(4):
        with pytest.raises(InputError, match="other settings or rows"):
            run(changed)


def test_truncated_weights_are_refused_in_one_line(tmp_path: Path, settings: Any) -> None:
    from training.specialist import load_model

    weights = make_base(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be loaded"):
        load_model(str(tmp_path), settings)
