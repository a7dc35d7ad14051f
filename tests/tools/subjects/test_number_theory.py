"""Whole numbers: values computed apart from the functions, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tools.declaration import ToolError
from tools.subjects import number_theory


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("prime_factors", {"value": 10**18 + 9}, "1000000000000000009"),
        ("combinations", {"n": 60, "k": 30}, 118264581564861424),
        ("gcd", {"numbers": [84, 36]}, 12),
        ("modular", {"calculation": "7^100 mod 11"}, 1),
        ("modular", {"calculation": "2^-1 mod 7"}, 4),
        ("modular_inverse", {"value": 3, "modulus": 11}, 4),
        ("is_divisible", {"value": 1000, "divisor": 8}, "Yes, 1000 = 8 * 125."),
        ("is_divisible", {"value": 30, "divisor": 7}, "No, the remainder of 30 divided by 7 is 2."),
        ("divisors", {"value": 28}, [1, 2, 4, 7, 14, 28]),
        ("is_prime", {"value": 1}, "No, 1 is not prime."),
        ("remainder", {"dividend": -7, "divisor": 5}, 3),
    ],
)
def test_value(name: str, arguments: dict[str, Any], result: Any) -> None:
    assert getattr(number_theory, name)(**arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("prime_factors", {"value": 10**50}, "40 digits"),
        ("is_divisible", {"value": 1, "divisor": 0}, "divisible by zero"),
        ("remainder", {"dividend": 1, "divisor": 0}, "division by zero"),
        ("modular", {"calculation": "2^-1 mod 4"}, "no inverse modulo 4"),
        ("modular", {"calculation": "2^(1/2) mod 7"}, "whole exponents"),
        ("modular", {"calculation": "1/3 mod 7"}, "product with an inverse"),
        ("modular_inverse", {"value": 2, "modulus": 4}, "common factor"),
        ("combinations", {"n": 3, "k": 4}, "k = 4, n = 3"),
    ],
)
def test_refusal(name: str, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ToolError, match=text):
        getattr(number_theory, name)(**arguments)
