"""What the terminal says when a model's server misbehaves: one sentence, and the chat goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import Octopus
from tests.misbehaving import SECRET, Misbehaving, misbehaving
from tests.misbehaviours import KINDS

QUICK = [
    kind for kind in KINDS if KINDS[kind].behave and KINDS[kind].code != "timeout" and KINDS[kind].calls != 3
]
FEW = (
    "content-null",
    "refusal",
    "html",
    "not-utf8",
    "clean-cut",
    "gigabyte",
    "401",
    "404",
    "429-for-an-hour",
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Misbehaving]:
    with misbehaving(tmp_path_factory.mktemp("models"), KINDS) as running:
        yield running


def octopus_of(
    small: Path, settings: dict[str, str], *arguments: str, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", arguments[0], "-g", str(small), *arguments[1:]]
    environment = {**os.environ, "OCTOPUS_HOME": str(small.parent)} | settings
    return subprocess.run(command, env=environment, input=typed, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", FEW)
def test_a_question_ends_with_a_sentence_and_exit_code_3(
    kind: str, octopus: Octopus, models: Misbehaving, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTOPUS_MODEL", f"openai:tiny@{models.url(kind)}")
    code, out, err = octopus("ask", "-q", "-g", small, "How do I bake bread?")
    assert (code, out.strip()) in ((3, ""), (3, "Forty"))  # what was written already
    assert err.startswith("cooking was chosen, but its model 'tiny' ")
    assert err.count("\n") == 1 and SECRET not in err


def test_details_are_shown_where_they_are_wanted(models: Misbehaving, small: Path) -> None:
    model = {"OCTOPUS_MODEL": f"openai:tiny@{models.url('401')}"}
    for option, shown in (("-q", False), ("-v", True)):
        told = octopus_of(small, model, "ask", option, "How do I bake bread?").stderr
        assert (models.url("401") in told, SECRET in told) == (shown, shown)


def test_the_chat_goes_on_after_each_of_them(models: Misbehaving, small: Path) -> None:
    model = {"OCTOPUS_MODEL": f"openai:tiny@{models.url('asked')}"}
    lines = [f"How do I bake bread? misbehave: {kind}" for kind in (*QUICK, "good")]
    done = octopus_of(small, model, "chat", "-q", typed="\n".join(lines))
    assert done.returncode == 0
    answered = [kind for kind in (*QUICK, "good") if not KINDS[kind].code]
    assert done.stdout.count("Forty-two.") + done.stdout.count("Forty\ufffd") == len(answered)
    assert len(done.stderr.splitlines()) == len(lines) - len(answered), done.stderr
    for internal in (SECRET, "Traceback", str(models.port)):
        assert internal not in done.stdout + done.stderr
