"""The bot's own sentences, in the language of who reads them.

The English sentence in the code is the name under which its translations are found: in `core/locale`, one catalogue for
each language, as gettext writes them. They are read as they are, so that there is nothing to compile that could be out of
date; one language takes a few milliseconds, when it is first spoken.
"""

from __future__ import annotations

import gettext
import json
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de", "es", "fr", "pt", "ru", "zh", "ja")
CATALOGUES = Path(__file__).parent / "locale"
DOMAIN = "bobbin"  # the name of the files
COMMAND = "command"  # the context of the words that give a command; alternatives are divided by a bar
# Chinese is written in two ways, and the catalogue has the simplified one:
# https://www.unicode.org/reports/tr35/#Likely_Subtags
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
# What divides thousands: https://cldr.unicode.org, Symbols → Numbers. Where it is no comma, that divides decimals.
_THOUSANDS = {"de": ".", "es": ".", "fr": "\N{NARROW NO-BREAK SPACE}", "pt": ".", "ru": "\N{NO-BREAK SPACE}"}
_PLURAL = re.compile(r"^Plural-Forms:.*?plural=(?P<rule>[^;]*)", re.MULTILINE)
_LINE = re.compile(r'(?:(?P<field>msgctxt|msgid|msgid_plural|msgstr)(?:\[(?P<form>\d)\])?\s+)?(?P<text>".*")\s*')

# Of what is done at the moment. Empty: nobody has told.
_spoken: ContextVar[str] = ContextVar("spoken", default="")
_usual: ContextVar[str] = ContextVar("usual", default=ENGLISH)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language."""

    forms: Mapping[tuple[str, str], Mapping[int, str]]  # by context and English; more than one where there is a number
    plural: Callable[[int], int]  # the form that a number takes


def of_locale(locale: object) -> str:
    """Return the language of a platform's *locale*, such as `pt-BR`; empty if it is none that we speak."""
    first, *others = re.split("[-_]", locale.lower(), maxsplit=3) if isinstance(locale, str) else [""]
    if first not in LANGUAGES or (first == "zh" and not _TRADITIONAL.isdisjoint(others)):
        return ""
    return first


def spoken() -> str:
    """Return the language in which is spoken at the moment."""
    return _spoken.get() or _usual.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak *language* in the body, and in the tasks that it begins; empty: the usual one."""
    token = _spoken.set(language if language in LANGUAGES else "")
    try:
        yield
    finally:
        _spoken.reset(token)


@contextmanager
def usually(language: str) -> Iterator[None]:
    """Speak *language* in the body to those of whom it isn't known what they speak."""
    token = _usual.set(language)
    try:
        yield
    finally:
        _usual.reset(token)


def say(sentence: str, /, **values: object) -> str:
    """Return *sentence* as it is said now, with *values* in place of their `{names}`."""
    said = _found("", sentence).get(0) or sentence
    return said.format(**values) if values else said


def say_n(one: str, several: str, n: int, /, **values: object) -> str:
    """Return what is said of *n* things, with the number itself in place of `{n}`."""
    language = spoken()
    forms = _found("", one)
    said = forms.get(catalogue(language).plural(n)) if forms else None
    return (said or (one if n == 1 else several)).format(n=number(n), **values)


def say_lines(text: str, /, **values: object) -> str:
    """Return what is said for *text*, whose lines are translated one by one."""
    return "\n".join(say(line, **values) if line else "" for line in text.split("\n"))


def marked(sentence: str, /) -> str:
    """Return *sentence* as it is: it is looked up later, where it is said, and has translations."""
    return sentence


def marked_lines(text: str, /) -> str:
    """Return *text* as it is: for `say_lines`."""
    return text


def said_in(context: str, word: str) -> str:
    """Return *word* as it is said now where it means something else than in a sentence."""
    return _found(context, word).get(0) or word


def words_for(command: str) -> tuple[str, ...]:
    """Return the words, in lower case, that give *command* in the language that is spoken now; none in English."""
    said = _found(COMMAND, command).get(0, "")
    return tuple(filter(None, said.lower().split("|")))


def number(n: float, decimals: int = 0) -> str:
    """Return *n* as it is written now."""
    whole, _, rest = f"{n:,.{decimals}f}".partition(".")
    thousands = _THOUSANDS.get(spoken())
    decimal = f"{',' if thousands else '.'}{rest}" if rest else ""
    return whole.replace(",", thousands or ",") + decimal


@cache
def catalogue(language: str) -> Catalogue:
    """Read what is said in *language*. Nothing is, of a language that we don't speak and of English."""
    if language == ENGLISH or language not in LANGUAGES:
        return Catalogue({}, lambda n: int(n != 1))
    return read_catalogue((CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po").read_text(encoding="utf-8"))


def read_catalogue(text: str) -> Catalogue:
    """Read a file of gettext's: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html.

    What is fuzzy was guessed by a tool, and is left out.
    """
    found: dict[tuple[str, str], dict[int, str]] = {}
    for entry in re.split(r"\n\s*\n", text):
        lines = entry.splitlines()
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        fields, forms, last = {"msgctxt": "", "msgid": ""}, dict[int, str](), ("", 0)
        for line in filter(None, map(_LINE.fullmatch, lines)):
            last = (line["field"], int(line["form"] or 0)) if line["field"] else last
            field, form = last
            text_so_far = forms if field == "msgstr" else fields
            at: int | str = form if field == "msgstr" else field
            text_so_far[at] = ("" if line["field"] else text_so_far[at]) + json.loads(line["text"])  # type: ignore[index]
        said = {form: words for form, words in forms.items() if words}
        if said:
            found[fields["msgctxt"], fields["msgid"]] = said
    header = found.pop(("", ""), {}).get(0, "")
    rule = _PLURAL.search(header)
    return Catalogue(found, gettext.c2py(rule["rule"]) if rule else lambda n: int(n != 1))


def _found(context: str, sentence: str) -> Mapping[int, str]:
    return catalogue(spoken()).forms.get((context, sentence), {})
