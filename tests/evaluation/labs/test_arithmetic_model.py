"""Test that the arithmetic model learns, repeats for a seed, and answers in batches as it answers alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from evaluation.labs.arithmetic_model import ArithmeticSettings, train_arithmetic

    out = tmp_path_factory.mktemp("arithmetic")
    settings = ArithmeticSettings(steps=4, check_every=2, problems=8, batch=16, width=48, layers=2, heads=3)
    train_arithmetic(out, settings)
    return out


def test_the_manifest_says_how_it_was_trained(folder: Path) -> None:
    manifest = json.loads((folder / "arithmetic.json").read_text())
    assert (manifest["trained_steps"], manifest["accuracy"]) == (4, 0.0)
    assert manifest["parameters"] > 10_000


def test_training_repeats_and_lowers_the_loss(tmp_path: Path, folder: Path) -> None:
    from safetensors.numpy import load_file

    from evaluation.labs.arithmetic_model import ArithmeticSettings, train_arithmetic

    settings = ArithmeticSettings(steps=4, check_every=2, problems=8, batch=16, width=48, layers=2, heads=3)
    train_arithmetic(tmp_path, settings)
    first, second = (load_file(path / "model.safetensors") for path in (folder, tmp_path))
    assert all((first[name] == second[name]).all() for name in first)


def test_a_batch_answers_as_each_alone(folder: Path) -> None:
    from evaluation.labs.arithmetic_model import ArithmeticModel, Reading, Writing

    model = ArithmeticModel(folder)
    requests = [Writing(prompt, ".", 6, 0.0) for prompt in ("12345*6=", "12345*6=506 ", "99*2=")]
    assert model.complete(requests) == [model.complete([request])[0] for request in requests]
    readings = [Reading("12345*6=", "530 427 "), Reading("99*2=", "918")]
    together = model.likelihoods(readings)
    assert [len(row) for row in together] == [8, 3]
    for row, reading in zip(together, readings, strict=True):
        assert row == pytest.approx(model.likelihoods([reading])[0], rel=1e-3)


def test_those_who_wait_are_one_batch(folder: Path) -> None:
    from evaluation.labs.arithmetic_model import ArithmeticModel

    model = ArithmeticModel(folder)

    async def ask() -> list[str]:
        return list(
            await asyncio.gather(*(model.write(f"{number}*3=", ".", 4, 0.0) for number in (11111, 22222)))
        )

    replies = asyncio.run(ask())
    assert [len(reply) <= 4 for reply in replies] == [True, True]


def test_sampling_repeats_for_a_seed(folder: Path) -> None:
    from evaluation.labs.arithmetic_model import ArithmeticModel, Writing

    requests = [Writing("12345*6=", ".", 20, 1.0)] * 3
    assert ArithmeticModel(folder, 7).complete(requests) == ArithmeticModel(folder, 7).complete(requests)
    assert ArithmeticModel(folder, 7).complete(requests) != ArithmeticModel(folder, 8).complete(requests)
