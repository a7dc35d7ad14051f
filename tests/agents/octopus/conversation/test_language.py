"""Which language a text is in, and what is said to people in theirs."""

from __future__ import annotations

import time
from typing import get_args

import pytest

from agents.octopus.conversation.language import Sentence, language_of, sentence

ENGLISH = """
Thanks!
capital of Kenya
derivative of x^3
Rio de Janeiro
Maria de la Cruz
for i in range(10): print(i)
SELECT * FROM users WHERE id = 1
sin(x) + cos(y)
What does 谢谢 mean in English?
How do you say guten Morgen in English?
Who was Erdoğan?
Schrödinger equation
die hard
π r^2
H2O
2 + 2
habeas corpus
🙂
""".strip().splitlines()
OTHERS = {
    "de": ["Guten Morgen", "Danke!", "Was ist Photosynthese?", "Wie viele Meter hat ein Kilometer?"],
    "es": ["gracias", "la capital de Francia", "¿Por qué?", "HOLA, COMO ESTAS"],
    "fr": ["Merci", "l'énergie cinétique", "Pourquoi ?", "Qu’est-ce que la photosynthèse ?"],
    "it": ["grazie", "Che cos'è la fotosintesi?", "Perché?"],
    "pt": ["obrigada", "O que é fotossíntese?", "Quanto é 5 vezes 6?"],
    "nl": ["Dank je wel", "Hoeveel is 5 keer 6?"],
    "tr": ["Merhaba", "Neden?", "Fotosentez nedir?"],
    "vi": ["Xin chào", "Quang hợp là gì?"],
    "pl": ["Cześć", "Co to jest fotosynteza?"],
    "ru": ["Привет", "производная x^3", "Что такое фотосинтез?"],
    "uk": ["Що це є?"],
    "zh": ["你好", "x^3 的导数", "用Python写一个快速排序"],
    "ja": ["ありがとう", "光合成とは何ですか？"],
    "ko": ["안녕하세요", "왜?"],
    "ar": ["شكرا", "ما هو التمثيل الضوئي؟"],
    "fa": ["پایتخت کنیا چیست؟"],
    "hi": ["नमस्ते", "प्रकाश संश्लेषण क्या है?"],
}


@pytest.mark.parametrize("text", ["", *ENGLISH])
def test_names_formulas_code_and_quotations_are_english(text: str) -> None:
    assert language_of(text) == "en"


@pytest.mark.parametrize(
    ("language", "text"), [(name, text) for name, some in OTHERS.items() for text in some]
)
def test_three_words_show_a_language(language: str, text: str) -> None:
    assert language_of(text) == language


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    language_of("warm")
    start = time.process_time()
    assert language_of("Was ist das? " * 100_000) == "de"
    assert time.process_time() - start < 0.05


@pytest.mark.parametrize("language", "zh es de fr pt it nl ru pl tr vi ja ko ar hi".split())
def test_every_sentence_is_there_with_its_parts(language: str) -> None:
    parts = {"first": "math", "second": "law", "install": "pip install x"}
    for which in get_args(Sentence):
        said, english = sentence(which, language, **parts), sentence(which, "en", **parts)
        assert language_of(said) == language, said
        assert [part in said for part in parts.values()] == [part in english for part in parts.values()]


def test_a_language_that_we_do_not_write_gets_english() -> None:
    assert sentence("say_more", "cy") == sentence("say_more", "en")
