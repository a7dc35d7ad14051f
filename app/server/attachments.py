"""Images and audio in OpenAI's messages, as LangChain's content blocks. The server fetches nothing."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Set
from typing import Any

from pydantic import BaseModel

from app.server.errors import ApiError

_DATA = re.compile(r"data:(?P<kind>image/[\w.+-]{1,40});base64,(?P<data>.+)", re.DOTALL)
_FORMAT = re.compile(r"[a-z0-9]{2,8}")


class Part(BaseModel):
    """A piece of content: text, an image or audio; fields that are not here are ignored."""

    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: Any = None
    input_audio: Any = None


def attachment(part: Part, reads: Set[str]) -> dict[str, Any]:
    """The block of a part that is not text.

    Args:
        part: as it was sent.
        reads: what the workers of the graph read beside text.

    Raises:
        ApiError: 400, nobody reads it, or it is not in the request itself.
    """
    found = _image(part) if part.type in ("image_url", "input_image") else _audio(part)
    kind = found["type"] if found else part.type
    if kind not in reads:
        raise _refused(f"Content of type {part.type[:40]!r} is not taken: no worker of this graph reads it.")
    if found is None or "base64" not in found:
        raise _refused("Send the file itself: an image as a data: URL, audio as base64 and its format.")
    try:
        base64.b64decode(found["base64"], validate=True)
    except (binascii.Error, ValueError):
        raise _refused(f"The {kind} is not base64.") from None
    return found


def _image(part: Part) -> dict[str, Any]:
    url = part.image_url.get("url") if isinstance(part.image_url, dict) else part.image_url
    match = _DATA.fullmatch(url) if isinstance(url, str) else None
    return {"type": "image", **({"base64": match["data"], "mime_type": match["kind"]} if match else {})}


def _audio(part: Part) -> dict[str, Any] | None:
    if part.type != "input_audio":
        return None
    given = part.input_audio if isinstance(part.input_audio, dict) else {}
    data, form = given.get("data"), given.get("format")
    sound = isinstance(data, str) and isinstance(form, str) and _FORMAT.fullmatch(form)
    return {"type": "audio", **({"base64": data, "mime_type": f"audio/{form}"} if sound else {})}


def _refused(why: str) -> ApiError:
    return ApiError(400, why, code="unsupported_content", param="messages")
