"""The reader of matrices: `[[1, 2], [3, 4]]`, `[1 2; 3 4]`, also in round or curly brackets."""

from __future__ import annotations

import re

from tools.reading.stream import Stream, UnreadError

_BRACKETS = str.maketrans("({)}−", "[[]]-")
_ROW = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def read_matrices(stream: Stream) -> None:
    """Take everything from a bracket to the one that closes it as a matrix.

    Raises:
        UnreadError: if something in brackets is no matrix of numbers.
    """
    index = 0
    while index < len(stream):
        end = _closing(stream, index)
        if end is None:
            index += 1
            continue
        rows = _rows(stream.source(index, end))
        if rows is not None:
            stream.take("matrix", rows, index, end)
        index = end


def _closing(stream: Stream, index: int) -> int | None:
    """The index after the bracket that closes the one at a token; None if there is none at it."""
    if stream.lower[index] not in "[({":
        return None
    depth = 0
    for position in range(index, len(stream)):
        depth += (stream.lower[position] in "[({") - (stream.lower[position] in "])}")
        if depth == 0:
            return position + 1
    raise UnreadError("The brackets of the matrix do not match.")


def _rows(source: str) -> list[list[float]] | None:
    text = source.translate(_BRACKETS)
    inner = text[1:-1].strip()
    texts = _ROW.findall(inner) if inner.startswith("[") else inner.split(";")
    if inner.startswith("[") and _ROW.sub("", inner).strip(" ,;\n"):
        return None
    rows = [re.split(r"\s*,\s*|\s+", row.strip()) for row in texts]
    if not all(_NUMBER.fullmatch(entry) for row in rows for entry in row):
        return None
    return [[float(entry) if "." in entry else int(entry) for entry in row] for row in rows]
