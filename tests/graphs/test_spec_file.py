"""The text of a spec → values: lines, duplicates and variables."""

from __future__ import annotations

import pytest

from agents.errors import SpecError
from graphs.spec_file import interpolate, load_yaml


def test_values_and_the_line_of_every_key() -> None:
    values, lines = load_yaml("a: 1\nb:\n  c: [x, {d: 2}]\n", source="s")
    assert values == {"a": 1, "b": {"c": ["x", {"d": 2}]}}
    assert lines == {("a",): 1, ("b",): 2, ("b", "c"): 3, ("b", "c", "1", "d"): 3}


def test_an_empty_document_is_none() -> None:
    assert load_yaml("# nothing\n", source="s") == (None, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", r"^s:3: not valid YAML"),
        ("a: 1\n\tb: 2\n", r"^s:2: not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']\n", r"^s:1: not valid YAML"),
        ("a: *nobody\n", r"^s:1: not valid YAML: .*undefined alias"),
        ("a: 1\nb: 2\na: 3\n", r"^s:3: 'a' stands twice \(first on line 1\)"),
        ("a:\n  - x: 1\n    x: 2\n", r"^s:3: 'x' stands twice"),
        ("a: b\0c\n", r"^s: not valid YAML"),
        ("a:\n  " + "[" * 100_000, r"^s:2: nested deeper than 100 levels"),
        ("a: &a [*a]", r"^s: (not valid YAML|more than)"),
        (
            "a0: &a0 [x]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}{f', *a{k - 1}' * 9}]\n" for k in range(1, 9)),
            r"^s: more than 2,000,000 values",
        ),
    ],
)
def test_faults_name_the_source_and_the_line(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load_yaml(text, source="s")


def test_variables_are_read_from_the_environment() -> None:
    value = {"url": "http://${HOST}:${PORT:-80}/", "list": ["${EMPTY:-none}", 3, None], "raw": "$${HOST} $5"}
    found = interpolate(value, {"HOST": "here", "EMPTY": ""}, source="s")
    assert found == {"url": "http://here:80/", "list": ["none", 3, None], "raw": "${HOST} $5"}


def test_a_value_is_not_interpolated_again() -> None:
    assert interpolate("${A}", {"A": "${B}", "B": "no"}, source="s") == "${B}"


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(SpecError, match=r"s: the environment variable 'KEY' is not set.*\$\{KEY:-default\}"):
        interpolate({"a": ["${KEY}"]}, {}, source="s")
