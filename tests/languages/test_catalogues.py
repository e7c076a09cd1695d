"""Every catalogue says all that the bot says, whole, and in the room that there is for it."""

from __future__ import annotations

import ast
import re
from itertools import chain
from pathlib import Path
from typing import Any

import discord
import pytest

from bots.discord import menus
from bots.discord.languages import SLASH, Translator
from bots.reply.details import BRANCH, EXPORT
from bots.reply.wanted import ANSWER_EDITED, CONTINUE, INSTEAD, MORE, RETRY, SHARE, STOP, TRY_AGAIN
from bots.slack.form import Subject, form
from core.commands import HELP, Verb, parse
from core.language import (
    COMMAND,
    ENGLISH,
    LANGUAGES,
    catalogue,
    number,
    of_locale,
    said_in,
    say,
    say_lines,
    say_n,
    speaking,
    words_for,
)
from tests.languages.sentences import ENGLISH_ONLY, HOUSE, LINES, ROOMS, SAYS, Sentence, calls, sentences, tree

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
WANTED = sentences()
_VALUE = re.compile(r"\{\w*\}")
_CODE = re.compile(r"`[^`]+`")
# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-naming
_SLASH_NAME = re.compile(r"[-_'\w]{1,32}")


def several(key: tuple[str, str]) -> str:
    return next((one.several for one in WANTED[key] if one.several), "")


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_sentence_and_no_other(language: str) -> None:
    """After a change of what is said: `make catalogues`."""
    assert set(catalogue(language).forms) == set(WANTED)


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_lacks_a_form(language: str) -> None:
    found = catalogue(language)
    needed = {found.plural(n) for n in range(200)}
    for key, said in found.forms.items():
        assert set(said) == (needed if several(key) else {0}), key


@pytest.mark.parametrize("language", OTHERS)
def test_every_form_has_the_values_of_the_sentence(language: str) -> None:
    """Of one thing a language may do without its number, unless it says other numbers in the same form."""
    found = catalogue(language)
    only_of_one = found.plural(1) if all(found.plural(n) != found.plural(1) for n in range(2, 200)) else None
    for key, said in found.forms.items():
        values = set(_VALUE.findall(several(key) or key[1]))
        for form_, words in said.items():
            spared = {"{n}"} if several(key) and form_ == only_of_one else set()
            assert values - spared <= set(_VALUE.findall(words)) <= values, key


@pytest.mark.parametrize("language", OTHERS)
def test_what_people_are_to_write_is_written_as_it_is(language: str) -> None:
    for (context, sentence), said in catalogue(language).forms.items():
        codes = set(_CODE.findall(re.sub(r"instructions [A-Z][a-z].*?`", "instructions `", sentence)))
        for words in said.values() if not context else ():
            assert codes <= set(_CODE.findall(re.sub(r"instructions (?!TEXT)[^`]+`", "instructions `", words))), (
                sentence
            )


@pytest.mark.parametrize("language", OTHERS)
def test_emphasis_and_links_stay_whole(language: str) -> None:
    for (_, sentence), said in catalogue(language).forms.items():
        for words in said.values():
            for mark in ("*", "`", "](<", "<#", "\n"):
                assert words.count(mark) >= sentence.count(mark), sentence
                assert words.count(mark) % 2 == sentence.count(mark) % 2, sentence


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_have_their_form(language: str) -> None:
    with speaking(language):
        for n in (1, 2, 5, 11, 21, 22, 1_000):
            assert number(n) in say_n("{n} minute", "{n} minutes", n)


def test_russian_counts_as_people_do() -> None:
    with speaking("ru"):
        said = [say_n("in {n} hour", "in {n} hours", n) for n in (1, 2, 5, 11, 21, 22, 111)]
    assert said == [
        "через 1 час",
        "через 2 часа",
        "через 5 часов",
        "через 11 часов",
        "через 21 час",
        "через 22 часа",
        "через 111 часов",
    ]


# What is said by hand


def test_only_whole_sentences_are_looked_up() -> None:
    """One that is put together before it is looked up is never found."""
    for place, call in calls():
        for text in call.args[: 1 if isinstance(call.func, ast.Name) and call.func.id != "say_n" else 2]:
            where = f"{place}:{call.lineno}"
            assert not isinstance(text, ast.JoinedStr | ast.BinOp), where
            assert not isinstance(text, ast.Call) or not ast.unparse(text.func).endswith((".format", ".join")), where


# Modules that speak to whoever runs the bot, and to nobody in a chat.
_FOR_OPERATORS = re.compile(
    r"core/(?:complaint|settings|sections|metrics|log|proxy|storage/|engine/|upstream/|asking/)|"
    r"bots/(?:app|checkup|cli|database|files|finding|platforms|roles|start|stats|supervisor|web|doctor/)|"
    r"bots/\w+/(?:__init__|connection|subscriptions|manifest|requests|settings|setup|api|chat)\.py"
)
# What the AI service reads of where words come from; it answers in the language of the question.
_FOR_THE_SERVICE = re.compile(r"_GO_ON|_WISH|_OPENING|_CLOSING|_LEFT_OUT|_NAMELESS|[A-Z_]*_DROPPED|_OLDER")
_NOT_OURS = (
    "Left out: ",
    "This message contains interactive elements.",
)  # the service's as well, and Slack's own words


def unspoken(text: str) -> list[str]:
    """What looks like a sentence in the source *text*, and isn't handed to what says it."""
    module = ast.parse(text)
    passed_over: set[int] = set()
    for node in ast.walk(module):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):  # a docstring
            passed_over.add(id(body[0].value))
        if isinstance(node, ast.Call) and (
            ast.unparse(node.func).split(".")[0] in (*SAYS, *LINES, "log", "re")
            or ast.unparse(node.func).split(".")[-1]
            in ("compile", "Choice", "describe", "command", "Group", "down", "Finding")
        ):
            passed_over.update(map(id, ast.walk(node)))
        if isinstance(node, ast.Assign) and all(_FOR_THE_SERVICE.fullmatch(ast.unparse(one)) for one in node.targets):
            passed_over.update(map(id, ast.walk(node)))
    return [
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over
        if node.value not in _NOT_OURS
        if re.search(r"(?:^|\s)(?:[A-Z]|\{)[^\n]* [^\n]*[.!?…:]\s*$", node.value)
        and re.search(r"[a-z]{2,} [a-z]", node.value)
    ]


@pytest.mark.parametrize(
    "path",
    [path for room in ROOMS for path in sorted((HOUSE / room).rglob("*.py")) if path.name != "errors.py"],
    ids=lambda path: path.relative_to(HOUSE).as_posix(),
)
def test_what_reads_like_a_sentence_is_said(path: Path) -> None:
    """`say` it, or have it `marked` where it is said later; what only operators or the AI service read is named above."""
    if not _FOR_OPERATORS.match(path.relative_to(HOUSE).as_posix()):
        assert not unspoken(path.read_text())


def test_a_sentence_that_nobody_says_is_found() -> None:
    assert unspoken('tell("I can not do that.")') == ["I can not do that."]
    assert unspoken('TOLD = f"I waited {n} seconds. Please try again."') != []
    assert not unspoken('tell(say("I can not do that."))')
    assert not unspoken('log.info("I can not do that.")')


def test_a_sentence_with_several_forms_has_the_same_ones_everywhere() -> None:
    for places in WANTED.values():
        assert len({one.several for one in places}) == 1, places


# Commands


@pytest.mark.parametrize("language", OTHERS)
def test_a_word_gives_one_command(language: str) -> None:
    with speaking(language):
        words = [(word, verb) for verb in Verb for word in words_for(verb)]
        assert len({word for word, _ in words}) == len(words)
        for word, verb in words:
            assert word == word.strip().lower()
            for written in (word, word.upper(), f" {word}! ", f"`{word}`", f"{word}。"):
                command = parse(written)
                assert command, written
                assert command.verb is verb, written
            assert parse(f"{word} foo bar") is None
            assert parse(f"Was? {word}") is None
    assert all(parse(word) is None or parse(word).verb is verb for word, verb in words)  # type: ignore[union-attr]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in ENGLISH_ONLY])
def test_english_words_are_understood_everywhere(language: str, verb: Verb) -> None:
    with speaking(language):
        command = parse(verb)
    assert command
    assert command.verb is verb


def test_another_language_s_words_are_none() -> None:
    with speaking("fr"):
        assert parse("hilfe") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_tells_every_command(language: str) -> None:
    with speaking(language):
        told = say_lines(HELP)
    assert [line.count("`") > 1 for line in told.split("\n")] == [line.count("`") > 1 for line in HELP.split("\n")]
    for verb in set(Verb) - {Verb.SET_MODEL}:
        assert f"`{verb}" in told
    assert "`model NAME`" in told


# What platforms have room for


def texts(thing: Any) -> list[str]:
    """What plain texts stand in *thing*."""
    if isinstance(thing, dict):
        own = [thing["text"]] if thing.get("type") == "plain_text" else []
        return own + list(chain.from_iterable(texts(one) for one in thing.values()))
    return list(chain.from_iterable(texts(one) for one in thing)) if isinstance(thing, list) else []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "subject", [Subject(), Subject("D1"), Subject("C1", "1.1", "1.1")], ids=["any", "direct", "thread"]
)
def test_slack_s_form_has_room_for_it(language: str, subject: Subject) -> None:
    """https://docs.slack.dev/reference/views/modal-views, and the pages of its elements."""
    with speaking(language):
        view = form(subject, ["terse"])
    for name in ("title", "submit", "close"):
        assert 0 < len(view[name]["text"]) <= 24, view[name]
    for block in view["blocks"]:
        assert all(len(option["text"]["text"]) <= 75 for option in block["element"].get("options", ()))
        assert len(block["label"]["text"]) <= 2_000
    said = texts(view)
    assert language == ENGLISH or not set(said) & {key for _, key in WANTED} - {say(one) for one in said}


@pytest.mark.parametrize("language", LANGUAGES)
def test_discord_s_form_has_room_for_it(language: str) -> None:
    """https://discord.com/developers/docs/components/reference"""
    with speaking(language):
        shown = menus._form(1, 2).to_dict()
    assert 0 < len(shown["title"]) <= 45
    for label in shown["components"]:
        one: Any = label
        assert 0 < len(one["label"]) <= 45
        for option in one["component"].get("options", ()):
            assert 0 < len(option["label"]) <= 100
            assert len(option.get("description") or "") <= 100


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "label", [TRY_AGAIN, ANSWER_EDITED, SHARE, STOP, INSTEAD, CONTINUE, RETRY, MORE, BRANCH, EXPORT]
)
def test_buttons_have_room_for_it(language: str, label: str) -> None:
    with speaking(language):
        assert 0 < len(say(label)) <= 75


def levels(command: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """What stands side by side in *command* and has a name: options, sub-commands, choices."""
    found: list[list[dict[str, Any]]] = []
    for within in ("options", "choices"):
        if beside := command.get(within):
            found += [beside, *chain.from_iterable(map(levels, beside))]
    return found


def all_of(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for beside in [things, *chain.from_iterable(map(levels, things))] for one in beside]


async def payload() -> list[dict[str, Any]]:
    commands = tree()
    every = [
        *commands.get_commands(),
        *commands.get_commands(type=discord.AppCommandType.message),
        *commands.get_commands(type=discord.AppCommandType.user),
    ]
    unique = {id(one): one for one in every}.values()
    return [await one.get_translated_payload(commands, Translator()) for one in unique]


LOCALES = [str(locale) for locale in discord.Locale if of_locale(str(locale)) not in ("", ENGLISH)]


async def test_discord_shows_commands_in_every_language_that_it_has() -> None:
    assert {of_locale(locale) for locale in LOCALES} == set(OTHERS)
    for command in all_of(await payload()):
        for what in ("name", "description"):
            if command.get(what) and (what != "name" or command["name"].islower()):
                assert set(command.get(f"{what}_localizations") or {}) <= set(LOCALES)
        if command.get("description"):
            assert set(command["description_localizations"]) == set(LOCALES), command["name"]


async def test_discord_takes_every_name_and_description() -> None:
    for command in all_of(await payload()):
        is_choice, is_menu = "value" in command, command.get("type") in (2, 3) and "description" not in command
        for said in (command.get("name_localizations") or {}).values():
            if is_choice or is_menu:
                assert 0 < len(said) <= (100 if is_choice else 32), said
            else:
                assert _SLASH_NAME.fullmatch(said), said
                assert said == said.lower(), said
        for said in (command.get("description_localizations") or {}).values():
            assert 0 < len(said) <= 100, said


async def test_no_two_commands_or_options_have_one_name() -> None:
    every = await payload()
    for beside in [every, *chain.from_iterable(map(levels, every))]:
        for locale in LOCALES:
            kinds = [
                (one.get("type"), (one.get("name_localizations") or {}).get(locale, one["name"])) for one in beside
            ]
            names = kinds if beside is every else [name for _, name in kinds]
            assert len(set(names)) == len(names), (locale, names)


@pytest.mark.parametrize("language", OTHERS)
def test_slash_names_are_those_of_commands(language: str) -> None:
    """What help calls a command is what Discord calls it."""
    with speaking(language):
        assert all(said_in(SLASH, name) for context, name in WANTED if context == SLASH)
        assert all(context in ("", SLASH, COMMAND) for context, _ in WANTED)


def test_the_sentences_were_found() -> None:
    """If extraction finds nothing, nothing is missing."""
    assert len(WANTED) > 250
    assert WANTED["", "Share"] == [Sentence("bots/reply/wanted.py", "Share")]
