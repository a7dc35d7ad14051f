"""Tokenize control text and what a person typed apart, with two tokenizers of one model.

User text goes through a tokenizer that knows no added token, so that `<nexa_3>` or `<|end|>` in a question is
spelt out in ordinary tokens. A switch on one shared tokenizer would not do: it is global, and requests
overlap.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from agents.errors import ArtifactError, InputError

TOKENIZER_FILE = "tokenizer.json"
USE_FAST = "Save it with a fast tokenizer: AutoTokenizer.from_pretrained(MODEL).save_pretrained(DIR)."


@dataclass(frozen=True)
class PromptTokenizer:
    """Hold both tokenizers of a model; neither is ever changed, so threads may share them.

    Attributes:
        control: reads templates and functional tokens.
        plain: the same model without added tokens, for user text.
        special: ids that user text must not hold.
    """

    control: Tokenizer
    plain: Tokenizer
    special: frozenset[int]

    @classmethod
    def parse(cls, serialised: str) -> PromptTokenizer:
        """Build both from the text of a `tokenizer.json`."""
        whole: dict[str, Any] = json.loads(serialised)
        added = whole.get("added_tokens", [])
        control = Tokenizer.from_str(serialised)
        plain = Tokenizer.from_str(json.dumps(whole | {"added_tokens": []}))
        unknown = whole["model"].get("unk_token")  # what a character without a token becomes: harmless
        special = {token["id"] for token in added if token["special"] and token["content"] != unknown}
        return cls(control, plain, frozenset(special))

    @classmethod
    def read(cls, folder: Path) -> PromptTokenizer:
        """Read the `tokenizer.json` of a model folder.

        Raises:
            ArtifactError: there is none, or it cannot be read.
        """
        path = folder / TOKENIZER_FILE
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except Exception as error:  # the Rust library raises bare Exception
            raise ArtifactError(f"{path}: cannot be used ({error}).", hint=USE_FAST) from error

    def control_ids(self, text: str) -> list[int]:
        """Return the ids of template text, special tokens included."""
        return list(self.control.encode(text, add_special_tokens=False).ids)

    def user_ids(self, text: str) -> list[int]:
        """Return the ids of user text; never a special one.

        Raises:
            InputError: the vocabulary itself holds a special token that `text` spells.
        """
        ids = list(self.plain.encode(text, add_special_tokens=False).ids)
        offender = next((token for token in ids if token in self.special), None)
        if offender is not None:
            spelt = self.control.id_to_token(offender)
            raise InputError(f"the query spells the control token {spelt!r}.", hint="Leave it out.")
        return ids

    def token_id(self, token: str) -> int | None:
        """Return the id of one token, or None if the vocabulary lacks it."""
        found = self.control.token_to_id(token)
        return None if found is None else int(found)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ordinary ids."""
        return str(self.control.decode(list(ids), skip_special_tokens=False))


@dataclass(frozen=True, slots=True)
class Prompt:
    """Hold ids in three parts: the one that all requests share, the query, and what comes after it."""

    shared: tuple[int, ...]
    query: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def own(self) -> tuple[int, ...]:
        """Return what is not shared."""
        return self.query + self.after


@dataclass(frozen=True)
class PromptFormat:
    """Put a query between what stands before and after it."""

    tokenizer: PromptTokenizer
    before: str
    after: str

    def prompt(self, query: str) -> Prompt:
        """Return the prompt of `query`.

        Raises:
            InputError: the query spells a control token of the vocabulary.
        """
        before, after = (tuple(self.tokenizer.control_ids(text)) for text in (self.before, self.after))
        return Prompt(before, tuple(self.tokenizer.user_ids(query)), after)
