"""The result before, from the words in which it was given."""

from __future__ import annotations

import pytest

from agents.octopus.conversation.result_before import Result, operation, result_of, with_result


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("144", Result("number", "144")),
        ("-0.79", Result("number", "-0.79")),
        ("209,469,333 (GeoNames)", Result("number", "209469333")),
        ("14/3 ≈ 4.666666667", Result("number", "4.666666667", "14/3")),
        ("x = 4", Result("number", "4")),
        ("$28.17 each (3 of them make $84.51)", Result("money", "$28.17")),
        ("1,107 km (688 miles) as the crow flies", Result("quantity", "1107 km")),
        ("299792458 m s^-1", Result("quantity", "299792458 m/s")),
        ("exp(x)*sin(x) + exp(x)*cos(x)", Result("formula", "exp(x)*sin(x) + exp(x)*cos(x)")),
        ("x^3/3 + C", Result("formula", "x^3/3")),
        ("2024-04-14 (Sunday)", Result("date", "2024-04-14")),
        ("[1, 2, 4]", Result("matrix", "[1, 2, 4]")),
        ("Nairobi", Result("name", "Nairobi")),
        ("x = 2 or x = 3", None),
        ("Yes, 97 is prime.", None),
        ("+30%", None),
    ],
)
def test_a_computed_answer_gives_its_first_line(line: str, result: Result | None) -> None:
    assert result_of(f"{line}\nComputed with a.tool(value=1).") == result


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        ("**144**", Result("number", "144")),
        ("= 144.", Result("number", "144")),
        ("8,849 m", Result("quantity", "8849 m")),
        ("The result is 144.", None),
        ("Nairobi", None),
        ("144, or 12 dozens", None),
        ("", None),
        ("No function was called. None fits the question.", None),
        ("What is 2?\n2\nComputed with a.b(x=1).\n\nWhat is 3?\n3\nComputed with a.b(x=2).", None),
        ("11111111\nComputed with encodings.convert_base(digits=255, target=2).", None),
        ("255\nComputed with encodings.convert_base(digits=ff, target=10).", Result("number", "255")),
    ],
)
def test_other_answers_give_a_result_only_where_they_are_nothing_else(
    reply: str, result: Result | None
) -> None:
    assert result_of(reply) == result


def test_operations_are_exact_and_keep_the_sign() -> None:
    assert operation("times 3", Result("number", "4.666666667", "14/3")) == "(14/3) * 3"
    assert operation("square it", Result("number", "-4")) == "(-4) ^ 2"
    assert operation("half of that", Result("name", "Nairobi")) == ""


def test_what_points_elsewhere_is_left() -> None:
    twelve = Result("number", "12")
    assert with_result("is that prime?", twelve) == "is 12 prime?"
    assert with_result("add 5 to 3 and then double it", twelve) == ""
    assert with_result("how long does it take to boil an egg?", twelve) == ""
    assert with_result("what is that song called?", twelve) == ""
