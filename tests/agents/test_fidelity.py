"""What a rewrite may not lose."""

from __future__ import annotations

import pytest

from agents.fidelity import lost

KEPT = [
    ("How far is 1,000 m?", "Convert a length of 1000 m: how far is it?"),
    ("What isn't a mammal?", "Which of these is not a mammal?"),
    ("who wrote Hamlet", "Name the author of Hamlet."),
    ("solve x^2 - 4 = 0", "Solve the equation x^2-4=0 for x."),
    ("a 5 foot board", "a board of 5 feet"),
    ("The cat sat.", "A cat sat."),
    ("what does `a[0]` do", "Explain the expression `a[0]`."),
    ("2.50 dollars", "2.5 dollars"),
    ("", "anything"),
    ("Is it not cold?", "It is not cold, or is it?"),
    ("why do cats purr", "Explain the purring of a cat."),
    ("what is it", "Say what this is."),
]
LOST = [
    ("How far is 1,000 m?", "How far is 100 m?", "1000"),
    ("3 apples and 3 pears", "3 apples and pears", "3"),
    ("72 kg in lb", "72 g in lb", "kg"),
    ("heat it to 20 °C", "heat it to 20 °F", "°C"),
    ("$20 of sugar", "€20 of sugar", "$"),
    ("a board of 5 feet", "a board of 5 metres", "foot"),
    ("90 km/h for 2 h", "90 km for 2 h", "h"),
    ("Which is not a prime?", "Which is a prime?", "not"),
    ("Which isn't a prime?", "Which is a prime?", "not"),
    ("all but never on Mondays", "all on Mondays", "never"),
    ("a loan without interest", "a loan with interest", "without"),
    ("when was Kenya founded", "when was the country founded", "Kenya"),
    ("explain DNA", "explain the acid", "DNA"),
    ("what does `a[0]` do", "what does the code do", "a[0]"),
    ("run ```\nx = 1\n```", "run x = 2", "x = 1\n"),
    ('who said "I am here"', "who said that he is here", "I am here"),
    ("call sort_rows(a)", "call the function", "sort_rows(a)"),
    ("factor x^2-9", "factor the polynomial", "x^2-9"),
    ("what is os.path", "what is a module", "os.path"),
    ("why is my cat limping", "Explain:::: ?", "why is my cat limping"),
    ("-5 and 12 K", "five below and 12 K", "5"),
]


@pytest.mark.parametrize(("query", "rewritten"), KEPT)
def test_a_rewrite_in_other_words_is_faithful(query: str, rewritten: str) -> None:
    assert lost(query, rewritten) == []


@pytest.mark.parametrize(("query", "rewritten", "what"), LOST)
def test_what_is_lost_is_named(query: str, rewritten: str, what: str) -> None:
    assert what in lost(query, rewritten)


@pytest.mark.parametrize(("query", "rewritten", "what"), LOST)
def test_a_template_around_the_query_loses_nothing(query: str, rewritten: str, what: str) -> None:
    assert lost(query, f"As a teacher: {query} Be brief.") == []
