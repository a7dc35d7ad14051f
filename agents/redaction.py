"""Remove from a text what identifies a person or gives access, before the text is kept.

It matches patterns and does not understand: names and addresses in prose stay. `[email]` and the like replace
what is removed.
"""

from __future__ import annotations

import re
from typing import Any

_PATTERNS = (
    ("url", re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@:]+:[^\s/@]+@\S+", re.I)),  # with a password
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.S)),
    ("key", re.compile(r"\b(?:sk|pk|ghp|gho|hf|xox[abp]|AKIA|eyJ)[-_]?[A-Za-z0-9_.-]{16,}")),
    ("secret", re.compile(r"(?i)\b(?:password|passwd|api[ _-]?key)\s*[:=]\s*\S+|\bbearer \S{8,}")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")),
    ("address", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    (
        "phone",
        re.compile(
            r"(?<![\w.])(?:\+\d{1,3}[ -]?|\(0\d+\)[ -]?|00\d{2}[ -]?)\d{2,4}(?:[ /-]?\d{2,4}){2,4}(?!\w)"
        ),
    ),
)
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])")
# User and password, then what may be shown, then query and fragment. A comma separates replicas.
_URL = re.compile(
    r"""(https?://)(?:[^\s/?#]*@)?((?:(?!,https?://)[^\s?#"<>])*)"""
    r"""(?:[?#](?:(?!,https?://)[^\s"<>])*(?<!'))?"""
)


def bare_urls(text: str) -> str:
    """Strip each URL in `text` of its password and query, which may be a key."""
    return _URL.sub(r"\1\2", text)


def redact(text: str) -> str:
    """Remove e-mail and IP addresses, phone, card and account numbers, keys and passwords from `text`."""
    for kind, pattern in _PATTERNS:
        text = pattern.sub(f"[{kind}]", text)
    return _CARD.sub(lambda match: "[card]" if _luhn(match[0]) else match[0], text)


def redacted(value: Any) -> Any:
    """Redact every text in a JSON value."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redacted(own) for key, own in value.items()}
    return [redacted(own) for own in value] if isinstance(value, list) else value


def _luhn(text: str) -> bool:
    """Return whether the check digit is that of a card number (ISO/IEC 7812-1); other numbers are kept."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [
        digit if k % 2 == 0 else sum(divmod(2 * digit, 10)) for k, digit in enumerate(reversed(digits))
    ]
    return sum(doubled) % 10 == 0
