"""The shipped encoder: windows, pooling, batches, and text that is not what it seems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError, InputError
from agents.octopus.embedding import MAX_CHARACTERS, Encoder

FILLER = "The committee met on Tuesday and agreed on the minutes of the last meeting. "


def test_vectors_of_length_one(encoder: Encoder) -> None:
    vectors = encoder.embed(["", " ", "a", "What is the boiling point of water?", "数学", "\u200b\ufffd"])
    assert vectors.shape == (6, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_are_no_vectors(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, 384)


def test_meaning_is_near_meaning(encoder: Encoder) -> None:
    asked, near, far = encoder.embed(
        ["How do I reset my password?", "I forgot my login credentials.", "The cat sleeps on the warm roof."]
    )
    assert asked @ near > asked @ far + 0.3


def test_a_batch_equals_its_texts_one_by_one(encoder: Encoder) -> None:
    texts = [f"Question {k}: " + "why? " * (k * 30) for k in range(8)]
    one_by_one = np.concatenate([encoder.embed([text]) for text in texts])
    np.testing.assert_array_equal(encoder.embed(texts), one_by_one)


def test_the_same_text_gives_the_same_bytes(encoder: Encoder) -> None:
    text = "Reproducible to the bit."
    np.testing.assert_array_equal(encoder.embed([text]), Encoder(threads=1).embed([text]))


def test_text_after_the_window_counts(encoder: Encoder) -> None:
    plain = FILLER * 40
    ending = plain + "Photosynthesis turns light into sugar in the chloroplasts of plants. " * 8
    subject = encoder.embed(["photosynthesis in plants"])[0]
    before, after = encoder.embed([plain, ending]) @ subject
    assert after > before + 0.05


def test_windows_cover_every_word_piece(encoder: Encoder) -> None:
    words = [f"w{k}" for k in range(900)]
    windows = encoder.windows(" ".join(words))
    whole = encoder.tokenizer.encode(" ".join(words)).ids
    assert max(map(len, windows)) == 256
    assert {window[0] for window in windows} == {whole[0]}
    assert {window[-1] for window in windows} == {whole[-1]}
    joined = windows[0][1:-1]
    for window in windows[1:]:
        joined += window[1:-1][254 - 224 :]
    assert joined == whole[1:-1]


def test_a_megabyte_takes_a_bounded_number_of_windows(encoder: Encoder) -> None:
    text = FILLER * (1_000_000 // len(FILLER))
    windows = encoder.windows(text)
    assert len(windows) == 64
    whole = encoder.tokenizer.encode(text).ids
    assert windows[-1][1:-1] == whole[-1 - len(windows[-1][1:-1]) : -1]
    np.testing.assert_allclose(np.linalg.norm(encoder.embed([text])), 1, atol=1e-5)


def test_too_long_a_text_is_refused(encoder: Encoder) -> None:
    with pytest.raises(InputError, match="the text has 4,000,001 characters; the limit is 4,000,000"):
        encoder.embed(["a" * (MAX_CHARACTERS + 1)])


@pytest.mark.parametrize("special", ["[SEP]", "[CLS]", "[PAD]", "[MASK]", "[UNK]"])
def test_special_tokens_that_people_type_are_ordinary_pieces(encoder: Encoder, special: str) -> None:
    tokenizer = encoder.tokenizer
    ids = tokenizer.encode(f"before {special} after").ids
    assert tokenizer.token_to_id(special) not in ids[1:-1]
    assert len(ids) > 6


def test_a_missing_encoder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((Encoder().folder / "tokenizer.json").read_bytes())
    with pytest.raises(ArtifactError, match=r"trunk\.onnx: missing"):
        Encoder(tmp_path).embed(["a"])
    with pytest.raises(ArtifactError, match="no complete encoder here"):
        _ = Encoder(tmp_path).manifest


def test_a_missing_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"tokenizer\.json: missing"):
        Encoder(tmp_path).embed(["a"])


def test_the_shipped_files_are_those_of_the_manifest(encoder: Encoder) -> None:
    import hashlib

    for name, digest in encoder.manifest["files"].items():
        assert hashlib.sha256((encoder.folder / name).read_bytes()).hexdigest() == digest
