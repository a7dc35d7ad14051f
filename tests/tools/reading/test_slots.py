"""Values of other languages, said in English; refused where they can be two."""

from __future__ import annotations

import pytest

from tools.reading.query import UnreadError
from tools.reading.slots import SLOTS, Language, folded

LANGUAGES = {
    code: Language(
        code, settings, {"words": words, "country": {}, "city": {}, "month": {}, "unit": {}, "date": {}}
    )
    for code, settings, words in (
        (
            "de",
            {"decimal": "comma", "thousands": "point", "and": "und", "endings": "s|es", "one": "eine "},
            {"mal": "times"},
        ),
        ("es", {"decimal": "comma", "and": "y|e"}, {"por": "times", "raiz cuadrada de": "square root of"}),
        ("zh", {"decimal": "point", "and": "和", "spaces": "no"}, {"乘以": "times"}),
        ("ru", {"decimal": "comma", "and": "и"}, {"умножить на": "times"}),
        ("ar", {"decimal": "unclear", "and": "و"}, {}),
        ("tr", {"decimal": "comma", "endings": "'[a-z]+"}, {}),
        ("fr", {"decimal": "comma", "and": "et"}, {}),
        ("hi", {"decimal": "point"}, {}),
    )
}


@pytest.mark.parametrize(
    ("slot", "code", "text", "said"),
    [
        ("f", "de", "12 mal 1,5", "12 times 1.5"),
        ("f", "es", "Raíz cuadrada de 16", "square root of 16"),
        ("f", "zh", "12乘以12", "12 times 12"),
        ("f", "de", "sin(X) + x^2", "sin(X) + x^2"),
        ("f", "de", "12 mal Tomaten", None),
        ("n", "de", "12.345,5", "12345.5"),
        ("n", "de", "1.234.567", "1234567"),
        ("n", "de", "12.000", "12000"),
        ("n", "de", "1,234.5", "1234.5"),
        ("n", "fr", "12 000", "12000"),
        ("n", "de", "0,125", "0.125"),
        ("n", "de", "-1,5", "-1.5"),
        ("n", "zh", "1,234", "1234"),
        ("n", "de", "zwölf", None),
        ("p", "de", "15,5 %", "15.5%"),
        ("p", "de", "15", None),
        ("b", "es", "x = 2", "x = 2"),
        ("b", "es", "dos", None),
        ("list", "es", "3, 5 y 10", "3, 5, 10"),
        ("list", "es", "1,5; 2,5 y 3,5", "1.5, 2.5, 3.5"),
        ("list", "es", "1,5 y 2,5", "1.5, 2.5"),
        ("list", "zh", "3和5", "3, 5"),
        ("list", "es", "3", None),
        ("country", "de", "Frankreichs", "France"),
        ("country", "ru", "Японии", "Japan"),
        ("country", "tr", "Japonya'nın", "Japan"),
        ("country", "fr", "Géorgie", "Georgia"),
        ("f", "es", "3 e 4", None),
        ("country", "es", "Georgia", "Georgia"),
        ("country", "fr", "Congo", "Congo"),
        ("country", "de", "Atlantis", None),
        ("place", "zh", "东京", "Tokyo"),
        ("place", "ru", "Париже", "Paris"),
        ("place", "de", "Lyon", "Lyon"),
        ("place", "de", "lyon", None),
        ("d", "de", "20. Juli 1969", "20 July 1969"),
        ("d", "es", "15 de marzo de 2024", "15 March 2024"),
        ("d", "ru", "9 мая 1945 года", "9 May 1945"),
        ("d", "zh", "2024年3月15日", "2024-03-15"),
        ("d", "fr", "02/03/2024", "02/03/2024"),
        ("d", "fr", "le jour", None),
        ("q", "de", "5,5 Meilen", "5.5 mile"),
        ("q", "ru", "5 миль", "5 mile"),
        ("q", "de", "eine Woche", "1 week"),
        ("q", "de", "5 Tomaten", None),
        ("w", "de", "1,5 Meilen", "1.5 mile"),
        ("w", "de", "1,500 m", None),
        ("w", "de", "1,500 Meter", None),
        ("u", "zh", "公里", "kilometer"),
        ("u", "de", "km", "km"),
        ("v", "de", "x", "x"),
        ("v", "de", "das", None),
        ("c", "de", "H2O", "H2O"),
        ("c", "de", "wasser", None),
        ("country", "hi", "फ्रांस", "France"),
    ],
)
def test_what_a_slot_says(slot: str, code: str, text: str, said: str | None) -> None:
    assert SLOTS[slot](text, LANGUAGES[code]) == said


@pytest.mark.parametrize(
    ("slot", "code", "text"),
    [
        ("n", "de", "1.234"),
        ("n", "de", "1,234"),
        ("n", "es", "12.000"),
        ("n", "ar", "12.000"),
        ("n", "es", "3,5,9"),
        ("list", "es", "3,5 y 10"),
        ("list", "fr", "12 000 et 3"),
        ("place", "es", "Granada"),
    ],
)
def test_what_can_be_two_values_is_refused(slot: str, code: str, text: str) -> None:
    with pytest.raises(UnreadError, match=r"two ways|between two|can be Grenada"):
        SLOTS[slot](text, LANGUAGES[code])


@pytest.mark.parametrize(
    "text", ["Größe", "İstanbul ışık", "Thủ đô của Nhật Bản", "ガ", "की राजधानी", "Ёлка"]
)
def test_a_folded_text_has_each_sign_in_its_place(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(folded(text)) == folded(text)
