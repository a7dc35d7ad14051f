"""A page of how-tos as a shell script, and what it says that the script prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?: (?P<file>[\w./-]+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_NAMED = re.compile(r"# (?P<name>[\w./-]+\.(?:yaml|py))\n")
_MARK = "~~~ block {} ~~~"


@dataclass(frozen=True)
class Block:
    """One run of commands.

    Attributes:
        line: where it stands in the page.
        commands: of the shell.
        printed: what it should print; "" is anything, "…" stands for whatever comes.
    """

    line: int
    commands: str
    printed: str = ""


@dataclass(frozen=True)
class Page:
    """Blocks in their order, and the files that the page shows."""

    blocks: list[Block]
    files: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Page:
        """Parse a page; raises ValueError for code that nothing would run."""
        text = path.read_text(encoding="utf-8")
        blocks: list[Block] = []
        files: dict[str, str] = {}
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            kind, body = found["kind"], found["text"]
            if kind == "console":
                blocks.append(Block(line, body))
            elif kind == "text" and blocks and not blocks[-1].printed:
                blocks[-1] = Block(blocks[-1].line, blocks[-1].commands, body)
            elif kind in ("yaml", "python"):
                named = _NAMED.match(body)
                if named is None:
                    raise ValueError(f"{path.name}:{line}: the first line does not name a file.")
                files[named["name"]] = body
            elif kind in ("json", "jsonl"):  # which have no comments
                if found["file"] is None:
                    raise ValueError(f"{path.name}:{line}: no file's name follows {kind!r}.")
                files[found["file"]] = body
            elif kind not in ("sh", "mermaid"):  # commands that are not run here, and drawings
                raise ValueError(f"{path.name}:{line}: nothing runs a block of {kind!r}.")
        return cls(blocks, files)

    def script(self, replaced: dict[str, str]) -> str:
        """All commands, with a mark before each block; what runs in the background ends with it."""
        parts = ["set -e", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
        for number, block in enumerate(self.blocks):
            parts += [f"echo '{_MARK.format(number)}'", block.commands]
        return replace("\n".join(parts) + "\n", replaced)

    def faults(self, output: str) -> Iterator[str]:
        """What was printed otherwise than the page says."""
        for number, block in enumerate(self.blocks):
            mine = output.partition(_MARK.format(number) + "\n")[2].partition("~~~ block ")[0]
            if block.printed and not _matches(block.printed, mine):
                yield f"line {block.line} should print\n{block.printed}and printed\n{mine}"


def replace(text: str, replaced: dict[str, str]) -> str:
    """The text with the addresses of this run."""
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def _matches(pattern: str, printed: str) -> bool:
    """Whether `printed` is `pattern`, where a line "…" is any lines and "…" in a line any text in it."""
    parts = []
    for line in pattern.splitlines():
        any_text = "[^\n]*".join(re.escape(part) for part in line.split("…"))
        parts.append("(?:[^\n]*\n)*" if line == "…" else f"{any_text}\n")
    ended = printed if printed.endswith("\n") else printed + "\n"
    return re.fullmatch("".join(parts), ended) is not None
