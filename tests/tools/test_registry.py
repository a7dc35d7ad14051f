"""The registry: names, declarations, and that nothing heavy is imported for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.declaration import ToolError, ToolFunction
from tools.registry import SUBJECTS, function, functions
from tools.sandbox_worker import LIBRARIES

ALL = functions(*SUBJECTS)


def test_a_subject_and_a_single_function() -> None:
    assert [one.name for one in functions("calculus")][:2] == ["calculus.derivative", "calculus.integral"]
    assert functions("calculus.limit", "calculus")[0] == function("calculus.limit")
    assert len(functions("calculus.limit", "calculus")) == len(functions("calculus"))


@pytest.mark.parametrize("name", ["astrology", "calculus.fly", "", "os.path"])
def test_unknown_names_are_refused_with_the_choices(name: str) -> None:
    with pytest.raises(ToolError, match="Choose one of: "):
        functions(name)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_declarations_are_complete(one: ToolFunction) -> None:
    assert one.description.partition("\n")[0].endswith((".", ":"))
    assert "Args:" in one.description
    assert "Returns:" in one.description
    assert 2 <= len(one.examples) <= 6
    assert set(one.libraries) <= LIBRARIES
    assert all(parameter.name in one.description for parameter in one.parameters)


def test_the_registry_imports_no_heavy_library() -> None:
    script = (
        "import sys; from tools.registry import SUBJECTS, functions; functions(*SUBJECTS)\n"
        "heavy = {'sympy', 'numpy', 'scipy', 'pint', 'molmass'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
