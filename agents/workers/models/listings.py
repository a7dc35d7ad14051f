"""Read what model servers list: the models that they have, and what they say of each.

A figure is the server's own, or it is not given: an Ollama or LM Studio that has not loaded a model does not
know yet how long a prompt it will take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

OWNERS: Mapping[str, str] = {
    "llamacpp": "llamacpp",
    "vllm": "vllm",
    "sglang": "sglang",
    "organization_owner": "lmstudio",
    "library": "ollama",
    "octopus": "octopus",
}
"""Tell the kind of a server from `owned_by` in OpenAI's listing."""
Use = Literal["chat", "embedding", "other"]

_EMBEDS = re.compile(r"embed|(^|[-_/])(bge|e5|gte|minilm|all-mpnet)[-_]|rerank|colbert|(^|[-/])bert\b", re.I)
_OTHER = re.compile(
    r"whisper|(^|[-_/])(tts|sdxl|flux|clip|bark|piper|kokoro|siglip)\b|stable-diffusion|diffusion"
    r"|guard|shield|moderation|parakeet",
    re.I,
)
_SPECIALITIES: Mapping[str, re.Pattern[str]] = {
    "code": re.compile(r"cod(e|er|ing)\b|code|coder|devstral|codestral|starcoder|sqlcoder|wizardcoder", re.I),
    "math": re.compile(r"math|numina", re.I),
    "medicine": re.compile(r"medi(cal|tron|ne)|medgemma|medllama|biomistral|meditron|openbio", re.I),
    "translation": re.compile(r"translat|tower|nllb|madlad|(^|[-_/])alma\b", re.I),
    "vision": re.compile(r"llava|vision|moondream|minicpm-v|(^|[-_/\d.])vl\b|pixtral|(^|[-_/])ocr", re.I),
    "completion": re.compile(r"[-_:]base\b|:text\b", re.I),
}
_EMBEDDING_FAMILIES = frozenset({"bert", "nomic-bert", "nomic-bert-moe", "xlm-roberta", "jina-bert-v2"})
_LICENCES = (
    (re.compile(r"apache license\s+version 2\.0", re.I), "Apache-2.0"),
    (re.compile(r"\bmit license\b|permission is hereby granted, free of charge", re.I), "MIT"),
)


@dataclass(frozen=True)
class ServedModel:
    """Describe a model as its server does; None, "" and () where it does not say.

    Attributes:
        name: that the server knows it by.
        use: what it is for; of a server that does not say, by its name.
        loaded: whether it is in memory.
        parameters: how many.
        size: bytes of its weights.
        window: tokens of prompt and answer, as it runs now.
        longest: tokens that it was trained for.
        reads: `text`, `image`, `audio`.
        tools: whether it calls tools.
        elsewhere: the host that it really runs on, where the server only passes questions on.
    """

    name: str
    use: Use = "chat"
    loaded: bool | None = None
    parameters: int | None = None
    size: int | None = None
    window: int | None = None
    longest: int | None = None
    quantisation: str = ""
    licence: str = ""
    reads: tuple[str, ...] = ()
    tools: bool | None = None
    elsewhere: str = ""


class NoAnswerError(Exception):
    """Signal that a request came to nothing; its text says why."""


class Asking(Protocol):
    """Ask a server."""

    def __call__(self, path: str) -> Any:
        """Return the JSON at `path`; raise NoAnswerError."""
        ...

    def all(self, path: str, bodies: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the JSON for each body, asked for at once; {} where there is none in time."""
        ...


def openai(ask: Asking, listed: Sequence[dict[str, Any]], thorough: bool) -> Iterable[ServedModel]:
    """Read OpenAI's listing, with `max_model_len` of vLLM and SGLang; that of an adapter is its base's."""
    windows = {text(row, "id"): _count(row, "max_model_len") for row in listed}
    return [
        ServedModel(name, _use(name), window=windows[name] or windows.get(text(row, "parent")))
        for row in listed
        if (name := text(row, "id"))
    ]


def _served(ask: Asking, listed: Sequence[dict[str, Any]], thorough: bool) -> Iterable[ServedModel]:
    return [replace(model, loaded=True) for model in openai(ask, listed, thorough)]


def _llamacpp(ask: Asking, listed: Sequence[dict[str, Any]], thorough: bool) -> Iterable[ServedModel]:
    """Read llama.cpp's listing and, where it has one model, its properties; a window is that of a slot."""
    props = ask("/props") if len(listed) == 1 else {}
    settings, modalities = _inner(props, "default_generation_settings"), _inner(props, "modalities")
    for row in listed:
        meta, name = _inner(row, "meta"), text(row, "id")
        state = text(_inner(row, "status"), "value")
        told = _inner(row, "architecture").get("input_modalities")
        reads = [str(one) for one in told] if isinstance(told, list) else []
        for modality, key in (("image", "vision"), ("audio", "audio")):
            if modalities.get(key) is True and modality not in reads:
                reads = [*(reads or ["text"]), modality]
        yield ServedModel(
            name,
            _use(name),
            loaded=state == "loaded" if state else True,
            parameters=_count(meta, "n_params"),
            size=_count(meta, "size"),
            window=_count(settings, "n_ctx") or _count(meta, "n_ctx"),
            longest=_count(meta, "n_ctx_train"),
            quantisation=text(props, "model_ftype") or text(meta, "ftype"),
            reads=tuple(reads),
        )


def _lmstudio(ask: Asking, listed: Sequence[dict[str, Any]], thorough: bool) -> Iterable[ServedModel]:
    """Read LM Studio's own listing."""
    for row in rows(ask("/api/v0/models"), "data"):
        kind, can = text(row, "type"), row.get("capabilities")
        yield ServedModel(
            text(row, "id"),
            "embedding" if kind == "embeddings" else "chat" if kind in ("llm", "vlm") else "other",
            loaded=text(row, "state") == "loaded",
            window=_count(row, "loaded_context_length"),
            longest=_count(row, "max_context_length"),
            quantisation=text(row, "quantization"),
            reads=("text", "image") if kind == "vlm" else ("text",),
            tools="tool_use" in can if isinstance(can, list) else None,
        )


def _ollama(ask: Asking, listed: Sequence[dict[str, Any]], thorough: bool) -> Iterable[ServedModel]:
    """Read Ollama's own listing, what it has loaded and, if thorough, what it tells of each model."""
    tagged = [row for row in rows(ask("/api/tags"), "models") if text(row, "name")]
    running = {text(row, "name"): row for row in rows(ask("/api/ps"), "models")}
    told = (
        ask.all("/api/show", [{"model": row["name"]} for row in tagged]) if thorough else [{}] * len(tagged)
    )
    for row, show in zip(tagged, told, strict=True):
        name, details, info = text(row, "name"), _inner(row, "details"), _inner(show, "model_info")
        can = show.get("capabilities") or row.get("capabilities")
        can = [str(one) for one in can] if isinstance(can, list) else None
        architecture = text(info, "general.architecture")
        set_to = re.search(r"^num_ctx\s+(\d+)", text(show, "parameters"), re.M)
        use = _use(name, text(details, "family"))
        if can is not None:
            use = "chat" if "completion" in can else "embedding" if "embedding" in can else "other"
        yield ServedModel(
            name,
            use,
            loaded=name in running,
            parameters=_count(info, "general.parameter_count")
            or parse_parameters(text(details, "parameter_size")),
            size=_count(row, "size"),
            window=_count(running.get(name, {}), "context_length") or (int(set_to[1]) if set_to else None),
            longest=_count(info, f"{architecture}.context_length"),
            quantisation=text(details, "quantization_level"),
            licence=text(info, "general.license") or _licence(text(show, "license")),
            reads=() if can is None else ("text", *(("image",) if "vision" in can else ())),
            tools=None if can is None else "tools" in can,
            elsewhere=text(row, "remote_host") or text(show, "remote_host"),
        )


Reader = Callable[[Asking, Sequence[dict[str, Any]], bool], Iterable[ServedModel]]
READERS: Mapping[str, Reader] = {
    "ollama": _ollama,
    "lmstudio": _lmstudio,
    "llamacpp": _llamacpp,
    "vllm": _served,
    "sglang": _served,
}


def parse_parameters(text: str) -> int | None:
    """Return the number that `7B`, `494.03M` or `8x7b` stands for."""
    match = re.fullmatch(r"(?:(\d+)x)?(\d+(?:\.\d+)?)\s*([KMBT])", text.strip(), re.I)
    if match is None:
        return None
    return round(int(match[1] or 1) * float(match[2]) * 10.0 ** (3 * "KMBT".index(match[3].upper()) + 3))


def _use(name: str, family: str = "") -> Use:
    """Tell from a name what a model is for, where its server does not."""
    if family in _EMBEDDING_FAMILIES or _EMBEDS.search(name):
        return "embedding"
    return "other" if _OTHER.search(name) else "chat"


def speciality(name: str) -> str:
    """Return what a chat model was made for, by its name; "" where that is everything."""
    return next((what for what, pattern in _SPECIALITIES.items() if pattern.search(name)), "")


def parameters_in(name: str) -> int | None:
    """Return how many parameters a name speaks of: `qwen2.5:7b`, `mixtral-8x7b`."""
    match = re.search(r"(?<![a-z0-9.])((?:\d+x)?\d+(?:\.\d+)?[bm])(?![a-z0-9])", name, re.I)
    return parse_parameters(match[1]) if match else None


def _licence(text: str) -> str:
    """Name the licence of this text: a common one, else its first line."""
    for pattern, name in _LICENCES:
        if pattern.search(text[:2000]):
            return name
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first[:60]


def rows(found: Any, key: str) -> list[dict[str, Any]]:
    """Return the rows of a listing; Ollama writes null where it has none."""
    listed = found.get(key, ()) if isinstance(found, dict) else ()
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise NoAnswerError("is no model server")
    return [row for row in listed if isinstance(row, dict)]


def _inner(row: Any, key: str) -> dict[str, Any]:
    found = row.get(key) if isinstance(row, dict) else None
    return found if isinstance(found, dict) else {}


def text(row: Mapping[str, Any], key: str) -> str:
    """Return the text under a key, "" if there is none."""
    found = row.get(key)
    return found if isinstance(found, str) else ""


def _count(row: Mapping[str, Any], key: str) -> int | None:
    found = row.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
