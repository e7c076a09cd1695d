import asyncio
from typing import get_args

import pytest

from core.language import (
    LANGUAGES,
    Catalogue,
    catalogue,
    number,
    of_locale,
    read_catalogue,
    say,
    say_n,
    speaking,
    spoken,
    usually,
)
from core.settings import Settings

RUSSIAN = r"""
msgid ""
msgstr ""
"Language: ru\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && "
"n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"

#: core/answer.py
msgid "{n} question"
msgid_plural "{n} questions"
msgstr[0] "{n} вопрос"
msgstr[1] "{n} вопроса"
msgstr[2] "{n} вопросов"

msgctxt "command"
msgid "help"
msgstr ""
"помощь|"
"справка"

#, fuzzy
msgid "Guessed"
msgstr "Нет"

msgid "Not done yet"
msgstr ""

#~ msgid "Gone"
#~ msgstr "Ушло"
"""


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de-DE", "de"),
        ("de", "de"),
        ("es_419", "es"),
        ("pt-BR", "pt"),
        ("zh-CN", "zh"),
        ("zh-Hans-TW", ""),
        ("zh-TW", ""),
        ("zh_Hant_HK", ""),
        ("en-GB", "en"),
        ("it-IT", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        ("-", ""),
        ("DE-de", "de"),
        ("de" * 100_000, ""),
    ],
)
def test_a_locale_names_a_language_that_we_speak_or_none(locale: object, language: str) -> None:
    assert of_locale(locale) == language


def test_a_language_that_is_set_is_one_that_we_speak() -> None:
    assert get_args(Settings.model_fields["language"].annotation) == LANGUAGES


def test_who_speaks_no_language_is_spoken_to_in_the_usual_one() -> None:
    assert spoken() == "en"
    with usually("ja"):
        assert spoken() == "ja"
        with speaking("de"):
            assert spoken() == "de"
            with speaking(""):
                assert spoken() == "ja"
            with speaking("tlh"):
                assert spoken() == "ja"
    assert spoken() == "en"


async def test_a_task_speaks_what_was_spoken_where_it_began() -> None:
    async def told() -> str:
        await asyncio.sleep(0)
        return spoken()

    with speaking("fr"):
        begun = asyncio.create_task(told())
    assert await begun == "fr"


def test_a_catalogue_is_read_without_what_is_fuzzy_empty_or_obsolete() -> None:
    read = read_catalogue(RUSSIAN)
    assert read.forms == {
        ("", "{n} question"): {0: "{n} вопрос", 1: "{n} вопроса", 2: "{n} вопросов"},
        ("command", "help"): {0: "помощь|справка"},
    }
    assert [read.plural(n) for n in (1, 2, 5, 11, 21, 22, 25, 101)] == [0, 1, 2, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_catalogue(language: str) -> None:
    assert isinstance(catalogue(language), Catalogue)


def test_what_has_no_translation_is_said_in_english() -> None:
    with speaking("de"):
        assert say("Nobody ever says {this}.", this="{this}") == "Nobody ever says {this}."
        assert say("Braces {stay}.") == "Braces {stay}."
        assert say_n("{n} quux", "{n} quuxes", 1) == "1 quux"
        assert say_n("{n} quux", "{n} quuxes", 2_000) == "2.000 quuxes"


def test_numbers_are_written_as_people_write_them() -> None:
    written = {}
    for language in LANGUAGES:
        with speaking(language):
            written[language] = number(16_500)
    assert written == {
        "en": "16,500",
        "de": "16.500",
        "es": "16.500",
        "fr": "16\u202f500",
        "pt": "16.500",
        "ru": "16\xa0500",
        "zh": "16,500",
        "ja": "16,500",
    }
