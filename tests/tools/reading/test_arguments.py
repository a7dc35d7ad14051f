"""Reading of arguments: any text gives arguments or one clear refusal, at once."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.declaration import ToolFunction
from tools.reading import NotAskedError, UnreadError, read_arguments
from tools.registry import SUBJECTS, function, functions

ALL = functions(*SUBJECTS)
PIECES = st.one_of(
    st.sampled_from([query for one in ALL for query in one.examples]).flatmap(
        lambda query: st.tuples(st.integers(0, len(query)), st.integers(0, len(query))).map(
            lambda cut: query[min(cut) : max(cut)]
        )
    ),
    st.sampled_from(["x^2", "12", "-", "=", "(", ")", "[", "]", "and", "of", "5 kg", "1e999", "3pm",
     "2024-02-30", "H2O", "'", '"', "%", "$", "Paris", "e^2x", "a", "to the", "d/dx", "log(x)", "1,000",
                     ","]),
    st.text(max_size=5),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6).map(" ".join), st.sampled_from(ALL))
def test_any_text_is_read_or_refused(text: str, one: ToolFunction) -> None:
    for candidate in (one, ALL[0], function("arithmetic.evaluate")):
        try:
            arguments = read_arguments(text, candidate)
        except UnreadError as error:
            assert str(error)
        else:
            json.dumps(arguments, allow_nan=False)


@pytest.mark.parametrize(
    "text",
    ["1" * 2000, "(" * 2000, "A" * 2000, "1+" * 1000, "1, " * 600, "- " * 1000, "x " * 1000, "'" * 2000,
     "|" * 2000, "H2" * 1000, "H + " * 500, "[[" * 1000, "sin " * 500, "-" * 2000, "2^" * 1000, "1 - " * 500,
     "in " * 600],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_long_text_is_read_or_refused_quickly(text: str) -> None:
    for one in ALL[::7]:
        started = time.process_time()
        with contextlib.suppress(UnreadError):
            read_arguments(f"{one.examples[0]} {text}"[:2000], one)
        assert time.process_time() - started < 2


def test_a_question_for_something_else_is_told_apart_from_an_unclear_one() -> None:
    with pytest.raises(NotAskedError):
        read_arguments("integrate x^2", function("calculus.derivative"))
    with pytest.raises(UnreadError, match="'market' was not understood") as error:
        read_arguments("derivative of x^2 market", function("calculus.derivative"))
    assert not isinstance(error.value, NotAskedError)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Why is 97 prime?", "number_theory.is_prime"),
        ("is 97 prime and why", "number_theory.is_prime"),
        ("How do I choose 3 of 10", "number_theory.combinations"),
        ("explain the mean of 3, 5 and 9", "statistics.mean"),
    ],
)
def test_an_explanation_is_refused_with_the_reason(query: str, name: str) -> None:
    with pytest.raises(UnreadError, match="asks for an explanation"):
        read_arguments(query, function(name))


@pytest.mark.parametrize("query", ["how many minutes in 2 hours", "how much is 2 hours in minutes"])
def test_how_many_and_how_much_ask_for_a_value(query: str) -> None:
    assert read_arguments(query, function("units.convert")) == {"quantity": "2 hour", "to": "minute"}


def test_a_word_that_a_function_refuses_is_no_filler_there() -> None:
    assert read_arguments("split $60 between 3 people please", function("everyday.split"))
    with pytest.raises(UnreadError, match="'with' was not understood"):
        read_arguments("split $60 three ways with friends", function("everyday.split"))


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("what increased by 10% is 55", "arithmetic.increase"),
        ("50 is 10% more than what", "everyday.more_percent"),
        ("a $10 tip at 20%", "everyday.tip"),
        ("what loan can I get for a monthly payment of $1,000 at 5% over 30 years", "finance.loan_payment"),
    ],
)
def test_the_result_is_not_taken_for_a_value(query: str, name: str) -> None:
    with pytest.raises(UnreadError):
        read_arguments(query, function(name))
    assert read_arguments("what is 200 increased by 10%", function("arithmetic.increase"))


def test_what_is_asked_at_the_beginning_only() -> None:
    holds = function("numbers.holds")
    assert read_arguments("hi, is 3/4 more than 0.7?", holds)["relation"] == ">"
    with pytest.raises(NotAskedError):
        read_arguments("what is 10 more than 32", holds)


@pytest.mark.parametrize(
    ("query", "name", "arguments"),
    [
        ("2nd derivative of x^4", "calculus.derivative", {"order": 2, "expression": "x^4"}),
        ("integral of x squared from zero to pi/2", "calculus.integral",
         {"expression": "x^2", "lower": "0", "upper": "pi / 2"}),
        ("mean of -1, 2.5 and three", "statistics.mean", {"numbers": [-1, 2.5, 3]}),
        ("sum of 1,200, 3,400", "statistics.total", {"numbers": [1200, 3400]}),
        ("$2.5 million loan at 4.25 percent over 18 months, monthly payment?", "finance.loan_payment",
         {"principal": 2500000, "rate": 4.25, "years": 1.5}),
        ("weekday of the 3rd of May, 2021", "dates.weekday", {"day": "2021-05-03"}),
        ("weekday of 25/12/2024", "dates.weekday", {"day": "2024-12-25"}),
        ("9.8 m/s^2 to feet per second squared", "units.convert",
         {"quantity": "9.8 metre / second ** 2", "to": "foot / second ** 2"}),
        ("population of New York", "geography.city_population", {"city": "New York City, New York, US"}),
        ("capital of Côte d'Ivoire", "geography.capital", {"country": "CI"}),
        ("convert 7am Los Angeles time to Tokyo", "dates.convert_time",
         {"time": "07:00", "source": "America/Los_Angeles", "target": "Asia/Tokyo",
          "now": "2027-03-10T09:30+00:00"}),
    ],
)  # fmt: skip
def test_each_type_is_read(query: str, name: str, arguments: dict[str, object]) -> None:
    now = datetime(2027, 3, 10, 9, 30, tzinfo=UTC)
    assert read_arguments(query, function(name), now) == arguments
