"""Zero-shot routing, on the shipped encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError, SpecError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.background import load_background
from agents.octopus.encoder.bm25 import LexicalIndex, split_identifier, terms
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead

TOOLS = (
    Candidate("WeatherTool", "Current weather and forecast of a city: temperature, rain and wind."),
    Candidate("bank.transfer", "Moves money from one account to another account or payee."),
    Candidate("Music_2_PlayTrack", "Plays a song or an album on a loudspeaker."),
    Candidate("flight_status", "Reports delays, gate and estimated arrival of a flight number."),
)
QUERIES = {
    "do I need an umbrella in Porto tomorrow?": 0,
    "send 40 euros to Inês for the dinner": 1,
    "put on some Fela Kuti in the kitchen": 2,
    "is LH 404 on time": 3,
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(threads=1)


@pytest.fixture(scope="module")
def head(encoder: Encoder) -> ZeroShotHead:
    return ZeroShotHead.build(TOOLS, encoder.embed)


@pytest.mark.parametrize(("query", "expected"), QUERIES.items())
def test_the_right_tool_is_best(head: ZeroShotHead, encoder: Encoder, query: str, expected: int) -> None:
    scores = head.scores(query, encoder.embed([query])[0])
    assert scores.logits.shape == (len(TOOLS),)
    assert int(scores.logits.argmax()) == expected


def test_fit_tells_queries_that_fit_from_queries_that_do_not(head: ZeroShotHead, encoder: Encoder) -> None:
    foreign = [
        "who painted the Night Watch?",
        "prove that there are infinitely many primes",
        "a poem on moss",
    ]

    def fits(queries: list[str]) -> list[float]:
        return [head.scores(query, encoder.embed([query])[0]).fit for query in queries]

    assert max(fits(foreign)) < 0.5
    assert np.mean(fits(list(QUERIES))) > np.mean(fits(foreign)) + 0.25


def test_a_single_neighbour_can_fit_or_not(encoder: Encoder) -> None:
    head = ZeroShotHead.build(TOOLS[:1], encoder.embed)
    near, far = "weather in Oslo", "book a table for four"
    fit, unfit = (head.scores(query, encoder.embed([query])[0]).fit for query in (near, far))
    assert fit > 0.5 > unfit


def test_examples_attract_queries_like_them(encoder: Encoder) -> None:
    query = "the printer on floor two jams again"
    plain = (Candidate("alpha", "The first team."), Candidate("beta", "The second team."))
    taught = (
        plain[0],
        Candidate("beta", "The second team.", ("my laptop is broken", "printer out of toner")),
    )
    vector = encoder.embed([query])[0]
    before = ZeroShotHead.build(plain, encoder.embed).scores(query, vector).logits
    after = ZeroShotHead.build(taught, encoder.embed).scores(query, vector).logits
    assert after[1] - after[0] > before[1] - before[0] + 1


def test_arrays_restore_the_same_head(head: ZeroShotHead, encoder: Encoder, tmp_path: Path) -> None:
    np.savez(tmp_path / "head.npz", **head.to_arrays())  # type: ignore[arg-type]
    with np.load(tmp_path / "head.npz", allow_pickle=False) as arrays:
        restored = ZeroShotHead.from_arrays(arrays)
    query = "is LH 404 on time"
    vector = encoder.embed([query])[0]
    before, after = head.scores(query, vector), restored.scores(query, vector)
    np.testing.assert_array_equal(before.logits, after.logits)
    assert before.fit == after.fit


@pytest.mark.parametrize("query", ["", "   ", "?!", "<nexa_3>", "\x00\ufffd", "word " * 200_000])
def test_odd_queries_get_finite_scores(head: ZeroShotHead, encoder: Encoder, query: str) -> None:
    scores = head.scores(query, encoder.embed([query])[0])
    assert np.isfinite(scores.logits).all()
    assert 0 < scores.fit < 1


def test_neighbours_without_descriptions_still_route(encoder: Encoder) -> None:
    head = ZeroShotHead.build([Candidate("get_weather", ""), Candidate("playMusic", "")], encoder.embed)
    query = "will it rain"
    assert int(head.scores(query, encoder.embed([query])[0]).logits.argmax()) == 0


def test_no_neighbours_is_an_error(encoder: Encoder) -> None:
    with pytest.raises(SpecError, match="no neighbours"):
        ZeroShotHead.build([], encoder.embed)


def test_incomplete_arrays_are_an_error(head: ZeroShotHead) -> None:
    arrays = head.to_arrays()
    del arrays["offsets"]
    with pytest.raises(ArtifactError, match="offsets"):
        ZeroShotHead.from_arrays(arrays)


def test_a_missing_background_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"training\.router\.zero_shot background"):
        load_background(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Music_2_PlayTrack", "music play track"),
        ("k8s.get_logs", "k s get logs"),
        ("HTTPClient", "http client"),
        ("weather_tool", "weather"),
        ("tool", "tool"),
        ("42", "42"),
    ],
)
def test_identifiers_are_split_into_words(name: str, expected: str) -> None:
    assert split_identifier(name) == expected


def test_terms_are_stemmed_and_without_stop_words() -> None:
    assert terms("Please book the bookings") == ["book", "book"]
    assert terms("cities, city") == ["city", "city"]


def test_bm25_prefers_rare_shared_words() -> None:
    index = LexicalIndex.build(["play a song", "play a film", "play chess on a board"])
    scores = index.scores("play chess")
    assert int(scores.argmax()) == 2
    assert (scores > 0).all()
    assert not index.scores("zebra").any()
