"""GraphSpec: what is read, and every fault named with its line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agents.errors import SpecError
from graphs.spec_file import load_spec, parse_spec

SOUND = """\
name: small
masters:
  chief:
    neighbours: [math, sage]
workers:
  math: {description: Sums.}
  sage: {description: Advice., neighbours: [math]}
"""


def with_change(old: str, new: str) -> str:
    assert old in SOUND
    return SOUND.replace(old, new, 1)


def test_a_sound_spec() -> None:
    spec = parse_spec(SOUND)
    assert spec.entry == "chief"
    assert list(spec.nodes) == ["chief", "math", "sage"]
    assert list(spec.edges) == [
        ("chief", "<nexa_0>", "math"),
        ("chief", "<nexa_1>", "sage"),
        ("sage", "<nexa_0>", "math"),
    ]


def test_slots_may_be_fixed_and_others_take_the_lowest_free() -> None:
    spec = parse_spec(with_change("[math, sage]", "{math: <nexa_1>, sage: }"))
    assert spec.masters[spec.entry].neighbours == {"math": "<nexa_1>", "sage": "<nexa_0>"}


def test_a_spec_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(parse_spec(SOUND), "name", "other")  # noqa: B010 - mypy refuses the plain form


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[math, sage]", "[math, sage, ghost]", "s:4: node 'chief' has an unknown neighbour 'ghost'"),
        ("[math, sage]", "{math: <nexa_3>, sage: <nexa_3>}", r"s:4: .*duplicate token '<nexa_3>'"),
        ("[math, sage]", "[math, math, sage]", r"s:4: .*a neighbour stands twice"),
        ("[math, sage]", "{math: <nexa_x>, sage: }", r"s:4: .*'<nexa_x>' of neighbour 'math' is not"),
        ("[math, sage]", "{math: <nexa_1000000>, sage: }", r"s:4: .*'<nexa_1000000>'"),
        ("[math, sage]", "math", r"s:4: .*must be a list of names or a mapping"),
        ("[math, sage]", "[math]", "s:7: node 'sage' has no incoming edge"),
        ("[math, sage]", "[]", "s:3: master 'chief' has no neighbours"),
        ("workers:\n", "  lost: {neighbours: [lost2]}\n  lost2: {neighbours: [lost]}\nworkers:\n",
         "s:5: master 'lost' cannot be reached"),
        ("  sage: {", "  one: {description: x, neighbours: [two]}\n"
         "  two: {description: x, neighbours: [one]}\n"
         "  sage: {", "s:7: worker 'one' cannot be reached from the entry 'chief'"),
        ("  math: {", "  chief: {description: x}\n  math: {", "s:6: 'chief' is both a master and a worker"),
        ("name: small", "name: small\nentry: math", "s:2: entry 'math' is not a master; masters: .*chief"),
        ("name: small", "name: small\nentry: nobody", "s:2: entry 'nobody' is not a master"),
        ("name: small", "name: a/b", r"s:1: name: .*pattern"),
        ("    neigh", "    generalist: nobody\n    neigh", "s:4: generalist 'nobody' of 'chief' is"),
        ("    neigh", "    octopus: {threshold: 2}\n    neigh", r"s:4: .*threshold: .*less than"),
        ("    neigh", "    octopus: {kind: magic}\n    neigh", r"s:4: .*kind: "),
        ("{description: Sums.}", "{}", r"s:6: workers.math.description: Field required"),
        ("{description: Sums.}", "{description: x, colour: red}",
         r"s:6: workers.math.colour: unknown key; known are desc.*, sends, "),
        ("    neighbours", "    neighbors",
         r"s:4: masters.chief.neighbors: unknown key; did you mean 'neighbours'\?$"),
        ("name: small", "name: small\nworker: {}", r"s:2: worker: unknown key; did you mean 'workers'\?"),
        ("name: small", "name: small\nlang: en", r"s:2: lang: unknown key; known are name, .*, octopus\.$"),
        ("{description: Sums.}", "{description: x, octopus: {treshold: 1}}", r"s:6: .* mean 'threshold"),
        ("{description: Sums.}", "{description: x, price: {inputs: 1}}", r"s:6: .*did you mean 'input'\?"),
        ("{description: Sums.}", "{description: x, recommended: {modell: x}}", r"s:6: .* mean 'model'"),
        ("{description: Sums.}", "{description: x, template: Go}", r"s:6: .*template 'Go' has no \{query\}"),
        ("{description: Sums.}", "{description: x, sends: all}", r"s:6: workers.math.sends: "),
        ("math: {", "guard: {", "s:6: 'guard' cannot name a node"),
    ],
)  # fmt: skip
def test_every_fault_is_named(old: str, new: str, message: str) -> None:
    text = with_change(old, new)
    with pytest.raises(SpecError, match=message) as caught:
        parse_spec(text, source="s")
    assert str(caught.value).startswith("s:")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "text",
    ["", "# comment only", "{}", "[]", "masters: {}\nworkers: {}",
     "masters:\nworkers:\nentry: x",
     "masters: {m: {neighbours: []}}\nworkers: {}"],
)  # fmt: skip
def test_an_empty_graph_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"the graph is empty|Field required|valid dictionary"):
        parse_spec(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("- masters\n- workers", "a list"), ("just words", "a single value"), ("3", "a single value")],
)
def test_what_is_no_mapping_is_called_what_it_is(text: str, kind: str) -> None:
    with pytest.raises(SpecError, match=rf"^s: a graph is a mapping, and this is {kind}\. ") as caught:
        parse_spec(text, source="s")
    assert caught.value.hint.startswith("Write at least `masters:` and `workers:`;")


@pytest.mark.parametrize("name", ["a|b", "a:b", "answer", "__end__", "", "\\u200b"])
def test_names_that_langgraph_keeps_are_refused(name: str) -> None:
    with pytest.raises(SpecError, match="cannot name a node"):
        parse_spec(f'masters: {{m: {{neighbours: ["{name}"]}}}}\nworkers: {{"{name}": {{description: x}}}}')


def test_names_may_be_of_any_language() -> None:
    spec = parse_spec("masters: {m: {neighbours: [数学 室]}}\nworkers: {数学 室: {description: x}}")
    assert list(spec.workers) == ["数学 室"]


def test_variables_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    text = with_change("{description: Sums.}", "{description: Sums., model: '${MATH_MODEL:-}'}")
    math = next(parse_spec(SOUND).edges)[2]
    assert parse_spec(text).workers[math].model is None
    monkeypatch.setenv("MATH_MODEL", "openai:m@http://localhost:1/v1")
    assert parse_spec(text).workers[math].model == "openai:m@http://localhost:1/v1"
    with pytest.raises(SpecError, match="variable 'MATH_MODEL' is not set"):
        parse_spec(text.replace(":-", ""), environment={})


def test_ten_thousand_neighbours_load(tmp_path: Path) -> None:
    names = [f"w{k}" for k in range(10_000)]
    path = tmp_path / "wide.yaml"
    path.write_text(
        "masters:\n  m:\n    neighbours:\n"
        + "".join(f"      - {name}\n" for name in names)
        + "workers:\n"
        + "".join(f"  {name}: {{description: Does {name}.}}\n" for name in names)
    )
    started = time.perf_counter()
    spec = load_spec(path)
    assert time.perf_counter() - started < 20
    assert spec.name == "wide"
    assert spec.masters[spec.entry].neighbours[list(spec.workers)[-1]] == "<nexa_9999>"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        load_spec(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(SpecError, match="not UTF-8 at byte 9"):
        load_spec(tmp_path / "latin.yaml")


def test_the_papers_graph_has_its_seventeen_tokens() -> None:
    import graphs

    spec = load_spec(Path(graphs.__file__).parent / "mmlu.yaml")
    tokens = spec.masters[spec.entry].neighbours
    assert list(tokens.values()) == [f"<nexa_{k}>" for k in range(17)]
    assert {"physics": "<nexa_0>", "math": "<nexa_4>", "general": "<nexa_16>"}.items() <= tokens.items()
    assert all(worker.recommended and worker.examples for worker in spec.workers.values())
