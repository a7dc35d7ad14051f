"""Chemistry: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import chemistry


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("molar_mass", {"formula": "CuSO4·5H2O"}, "249.6849 g/mol"),
        (
            "balance",
            {"reaction": "KMnO4 + HCl -> KCl + MnCl2 + H2O + Cl2"},
            "2 KMnO4 + 16 HCl -> 2 KCl + 2 MnCl2 + 8 H2O + 5 Cl2",
        ),
        ("moles", {"mass": "36 gram", "formula": "H2O"}, "1.9983 mol"),
        ("atomic_number", {"element": "Fe"}, 26),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(chemistry, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("molar_mass", {"formula": "Xx2"}, "no element 'Xx'"),
        ("balance", {"reaction": "H2 -> O2"}, "cannot be balanced"),
        ("moles", {"mass": "1 metre", "formula": "H2O"}, "not a mass"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(chemistry, name)(**arguments)
