"""Functions called directly: values computed apart from them, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.errors import ToolError
from tools.registry import function

VALUES: list[tuple[str, dict[str, Any], Any]] = [
    ("calculus.derivative", {"expression": "x^4", "order": 2, "at": "1"}, 12),
    ("calculus.integral", {"expression": "1/x", "lower": "1", "upper": "e"}, 1),
    ("calculus.limit", {"expression": "(1 + 2/n)^n", "at": "oo"}, "exp(2) ≈ 7.389056099"),
    ("algebra.solve", {"equations": ["x^2 + y = 3", "y = 2"]}, "x = -1, y = 2 or x = 1, y = 2"),
    ("arithmetic.percent_change", {"old": -50, "new": -25}, "+50%"),
    ("arithmetic.round_number", {"value": 2.675, "places": 2}, "2.68"),
    ("number_theory.prime_factors", {"value": 10**18 + 9}, "1000000000000000009"),
    ("number_theory.combinations", {"n": 60, "k": 30}, 118264581564861424),
    ("linear_algebra.eigenvalues", {"matrix": [[0, -1], [1, 0]]}, "-i, i"),
    ("statistics.sample_standard_deviation", {"numbers": [0.1, 0.2, 0.3]}, 0.1),
    ("units.convert", {"quantity": "-40 degree_Celsius", "to": "degree_Fahrenheit"}, "-40 °F"),
    ("chemistry.molar_mass", {"formula": "CuSO4·5H2O"}, "249.6849 g/mol"),
    ("chemistry.balance", {"reaction": "KMnO4 + HCl -> KCl + MnCl2 + H2O + Cl2"},
     "2 KMnO4 + 16 HCl -> 2 KCl + 2 MnCl2 + 8 H2O + 5 Cl2"),
    ("finance.loan_payment", {"principal": 1200, "rate": 0, "years": 1}, "100.00"),
    ("dates.date_before", {"day": "2024-03-31", "months": 1}, "2024-02-29 (Thursday)"),
    ("dates.convert_time",
     {"time": "23:30", "source": "America/New_York", "target": "Europe/Berlin", "day": "2024-03-20"},
     "04:30, the next day (for 2024-03-20 in America/New_York)"),
    ("encodings.convert_base", {"digits": "0", "target": 2}, "0"),
    ("encodings.url_encode", {"text": "ä/ß"}, "%C3%A4%2F%C3%9F"),
]  # fmt: skip
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("calculus.derivative", {"expression": "x y"}, "Say in which variable"),
    ("calculus.derivative", {"expression": "|x|", "at": "0"}, "undefined"),
    ("calculus.integral", {"expression": "x", "lower": "0"}, "both limits"),
    ("algebra.solve", {"equations": ["sin(x) = 0"]}, "trigonometric"),
    ("number_theory.prime_factors", {"value": 10**50}, "40 digits"),
    ("linear_algebra.inverse", {"matrix": [[1, 2], [2, 4]]}, "singular"),
    ("linear_algebra.rank", {"matrix": [[1] * 13] * 13}, "12 x 12"),
    ("units.convert", {"quantity": "5 kilogram", "to": "metre"}, "cannot be converted"),
    ("units.convert", {"quantity": "-1 kelvin", "to": "degree_Celsius"}, "absolute zero"),
    ("chemistry.molar_mass", {"formula": "Xx2"}, "no element 'Xx'"),
    ("chemistry.balance", {"reaction": "H2 -> O2"}, "cannot be balanced"),
    ("finance.irr", {"cash_flows": [-1, 3, -2]}, "change their sign once"),
    ("dates.date_after", {"day": "9999-12-31", "days": 1}, "1 to 9999"),
    ("encodings.from_roman", {"numeral": "IIII"}, "standard form"),
    ("encodings.from_base64", {"text": "!"}, "not the Base64"),
    ("geography.distance", {"start": "Atlantis, XX", "end": "Rome, IT"}, "no city 'Atlantis, XX'"),
]


@pytest.mark.parametrize(("name", "arguments", "result"), VALUES, ids=[name for name, _, _ in VALUES])
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert function(name).call(**arguments) == result


@pytest.mark.parametrize(("name", "arguments", "text"), REFUSALS)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        function(name).call(**arguments)


def test_the_distance_of_antipodes_is_half_the_circumference() -> None:
    text = function("geography.distance").call("Madrid, ES", "Wellington, NZ")
    assert 19_700 < float(text.split()[0].replace(",", "")) < 20_016
