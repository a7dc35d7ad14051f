"""What identifies a person or opens a door is taken out; numbers that questions are about stay."""

from __future__ import annotations

import pytest

from agents.redaction import bare_urls, redact, redacted


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("write to ada.byron@example.org today", "write to [email] today"),
        ("call +44 20 7946 0958 now", "call [phone] now"),
        ("card 4111 1111 1111 1111 please", "card [card] please"),
        ("server 192.168.0.12 is down", "server [address] is down"),
        ("redis://user:hunter2@db.example.org/0 fails", "[url] fails"),
        ("my key is sk-abcdefghijklmnop1234", "my key is [key]"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: [secret]"),
        ("password: hunter2", "[secret]"),
        ("pay to DE89 3704 0044 0532 0130 00", "pay to [iban]"),
    ],
)
def test_it_is_taken_out(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "What is 1234567890123456 + 1?",  # no card: its check digit is wrong
        "Derive x^3 at 2.5, and 10.25.3 is a version",
        "Between 1914 and 1918, 20 million died.",
        "3^7 mod 10",
    ],
)
def test_what_questions_are_about_stays(text: str) -> None:
    assert redact(text) == text


def test_all_texts_of_a_value_are_redacted() -> None:
    assert redacted({"a": ["x@example.org", 3, {"b": "y@example.org"}]}) == {
        "a": ["[email]", 3, {"b": "[email]"}]
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://u:s3cret@h:1/mcp?apiKey=s3cret#s3cret", "https://h:1/mcp"),
        ("http://u:p@ss@h", "http://h"),
        ("vllm:b#m@http://u:s3cret@a:1/v1?k=s3cret,https://s3cret@b", "vllm:b#m@http://a:1/v1,https://b"),
        ("401 for url 'http://h/mcp?k=s3cret' (E)", "401 for url 'http://h/mcp' (E)"),
        ("openai:org/name@http://localhost:11434/v1", "openai:org/name@http://localhost:11434/v1"),
        ("http://[::1]:80/a@b, or none", "http://[::1]:80/a@b, or none"),
        ("no URL: a@b?c#d", "no URL: a@b?c#d"),
    ],
)
def test_urls_are_told_without_what_may_be_a_key(text: str, told: str) -> None:
    assert bare_urls(text) == told
