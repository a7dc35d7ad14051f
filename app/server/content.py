"""Read the content of OpenAI's messages: text, images and audio; the server fetches nothing itself."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping, Set
from typing import Any
from urllib.parse import urlsplit

from agents.modalities import listed
from app.server.errors import ApiError, unknown, unsupported

_TEXTS: Mapping[str, str] = {  # the field that holds it, by type
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "refusal": "refusal",
}
_BESIDE = frozenset({"type", "annotations", "logprobs"})
_IMAGES = frozenset({"image_url", "input_image"})
_DATA = re.compile(r"data:(?P<kind>image/[\w.+-]{1,40})(?:;[^;,]{1,80})*;base64,(?P<data>.+)", re.DOTALL)
_FORMAT = re.compile(r"[a-z0-9]{2,8}")
_MOST_URL = 2048
_LOCAL = frozenset({"local", "localhost", "internal", "lan", "home", "corp", "intranet"})

LeftOut = list[dict[str, str]]


def mended(value: Any) -> Any:
    """Return a JSON value with halves of characters put together, or replaced."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value
    if isinstance(value, list):
        return [mended(one) for one in value]
    return {key: mended(one) for key, one in value.items()} if isinstance(value, dict) else value


def read_content(
    content: Any, place: str, reads: Set[str], left_out: LeftOut | None
) -> tuple[str, list[dict[str, Any]]]:
    """Return the text and the attachments, as content blocks of LangChain.

    Args:
        content: as it was sent.
        place: the field that it stands in.
        reads: what is read besides text.
        left_out: is told what nobody reads, which the text then mentions; None refuses it.

    Raises:
        ApiError: 400, it is no content, or nobody reads it.
    """
    if content is None or isinstance(content, str):
        return content or "", []
    if not isinstance(content, list):
        raise _refused(place, "Content is text, or a list of parts")
    texts: list[str] = []
    attached: list[dict[str, Any]] = []
    for index, part in enumerate(content):
        here = f"{place}.{index}"
        try:
            kind = _kind(part, here)
            if kind in _TEXTS:
                texts.append(_text(part, kind, here, strict=left_out is None))
            else:
                attached.append(_attachment(part, kind, here, reads))
        except ApiError:
            if left_out is None:
                raise
            kind = str(part.get("type")) if isinstance(part, dict) else "part"
            left_out.append({"param": here, "type": kind[:40]})
            shown = "image" if kind in _IMAGES else "audio" if kind == "input_audio" else "file"
            texts.append(f"[Attached {shown}, not shown]")
    return "\n".join(texts), attached


def _kind(part: Any, place: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str):
        raise _refused(place, "A part of content is an object with a type")
    return kind


def _text(part: Mapping[str, Any], kind: str, place: str, *, strict: bool) -> str:
    name = _TEXTS[kind]
    text = part.get(name)
    if not isinstance(text, str):
        raise _refused(f"{place}.{name}", "It is no text")
    if strict:
        _check_fields(part, {*_BESIDE, name}, place)
    return text


def _check_fields(part: Mapping[str, Any], known: Set[str], place: str) -> None:
    for name in sorted(set(part) - known):
        raise unknown(f"{place}.{name}")


def _attachment(part: Mapping[str, Any], kind: str, place: str, reads: Set[str]) -> dict[str, Any]:
    sort = "image" if kind in _IMAGES else "audio" if kind == "input_audio" else kind[:40]
    if sort not in reads:
        why = f"Content of type {kind[:40]!r} is not taken: no worker of this graph reads it"
        raise _refused(place, f"{why}. They read {listed({'text', *reads})}")
    return _image(part, place) if sort == "image" else _audio(part, place)


def _image(part: Mapping[str, Any], place: str) -> dict[str, Any]:
    given = part.get("image_url")
    inner = given if isinstance(given, dict) else part
    url = given.get("url") if isinstance(given, dict) else given
    if inner.get("detail") not in (None, "auto"):
        raise unsupported(f"{place}.detail", "the models here choose the detail themselves")
    _check_fields(part, {"type", "image_url", "detail"}, place)
    if not isinstance(url, str):
        raise _refused(place, "An image is a data: URL, or an address")
    if match := _DATA.fullmatch(url):
        return {"type": "image", "base64": _checked(match["data"], place), "mime_type": match["kind"]}
    if _is_public(url):
        return {"type": "image", "url": url}
    why = "Send the file itself, an image as a data: URL, or the address of one on the public web"
    raise _refused(place, why)


def _is_public(url: str) -> bool:
    """Say whether the URL is of the public web: a model's server fetches it, within its own network."""
    try:
        split = urlsplit(url)
        host = (split.hostname or "").rstrip(".")
        plain = split.scheme in ("http", "https") and len(url) <= _MOST_URL and not split.username
    except ValueError:
        return False
    try:
        return plain and ipaddress.ip_address(host).is_global
    except ValueError:
        # A name: one label, or one of these, is of a local network; a last label of digits is an old address.
        last = host.rpartition(".")[2]
        return plain and "." in host and last.isalpha() and last not in _LOCAL


def _audio(part: Mapping[str, Any], place: str) -> dict[str, Any]:
    given = part.get("input_audio")
    given = given if isinstance(given, dict) else {}
    data, form = given.get("data"), given.get("format")
    if not (isinstance(data, str) and isinstance(form, str) and _FORMAT.fullmatch(form)):
        raise _refused(place, "Audio is base64 and its format")
    return {"type": "audio", "base64": _checked(data, place), "mime_type": f"audio/{form}"}


def _checked(data: str, place: str) -> str:
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise _refused(place, "It is not base64") from None
    return data


def _refused(place: str, why: str) -> ApiError:
    return ApiError(400, f"{why.rstrip('.')}.", code="unsupported_content", param=place)
