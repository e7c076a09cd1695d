"""All that the bot itself says to people, found in the code: what a catalogue has to have."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import discord
from discord import app_commands

from bots.discord import commands
from bots.discord.languages import SLASH, Languages
from bots.discord.tree import Tree
from core import errors
from core.commands import Verb
from core.language import COMMAND
from core.upstream import errors as upstream_errors

HOUSE = Path(__file__).parent.parent.parent
ROOMS = ("core", "bots")
# Each says its first argument, or hands it on to be said; the second of the last is the same of several things.
SAYS = ("say", "marked", "say_n")
LINES = ("say_lines", "marked_lines")  # each of the lines is a sentence
INTERNAL = (errors.Overtaken, errors.StopWanted, errors.SetupError)  # nobody in a chat reads of these
# What isn't one word, and has a value behind it, is written in English everywhere.
ENGLISH_ONLY = (Verb.SET_PRESET, Verb.SET_MODEL)


@dataclass(frozen=True, slots=True)
class Sentence:
    place: str  # the file
    one: str
    several: str = ""
    context: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.one


def sentences() -> dict[tuple[str, str], list[Sentence]]:
    """Each with all the places where it stands, in their order."""
    found: dict[tuple[str, str], list[Sentence]] = {}
    for one in (*_said(), *_errors(), *_words(), *_slash_commands()):
        found.setdefault(one.key, []).append(one)
    return found


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of what says something, with its file."""
    for room in ROOMS:
        for path in sorted((HOUSE / room).rglob("*.py")):
            said = [
                node
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in (*SAYS, *LINES)
            ]
            for node in sorted(said, key=lambda node: (node.lineno, node.col_offset)):
                yield path.relative_to(HOUSE).as_posix(), node


def _said() -> Iterator[Sentence]:
    for place, call in calls():
        if isinstance(call.func, ast.Name) and call.func.id in LINES:
            text = call.args[0].value if isinstance(call.args[0], ast.Constant) else ""
            yield from (Sentence(place, line) for line in str(text).splitlines() if line)
            continue
        texts = [one.value for one in call.args[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if texts and isinstance(call.args[0], ast.Constant):
            yield Sentence(place, *texts)


def _errors() -> Iterator[Sentence]:
    """Of an error, its docstring is what people read."""
    for module in (errors, upstream_errors):
        place = f"{module.__name__.replace('.', '/')}.py"
        for kind in vars(module).values():
            if not inspect.isclass(kind) or kind.__module__ != module.__name__ or kind in INTERNAL:
                continue
            if issubclass(kind, errors.BobbinError):
                yield Sentence(place, (kind.__doc__ or "").strip())
                if bare := getattr(kind, "bare", ""):
                    yield Sentence(place, bare)


def _words() -> Iterator[Sentence]:
    for verb in Verb:
        if verb not in ENGLISH_ONLY:
            yield Sentence("core/commands.py", verb.value, context=COMMAND)


def tree() -> Tree:
    """The commands, which nobody can give."""
    nobody = cast("Any", None)
    client = discord.Client(intents=discord.Intents.none())
    made = Tree(client, nobody, nobody, nobody, heard=nobody, languages=Languages(), recorded_within=1.0)
    commands.add_to(made, nobody, ask=nobody, about=nobody, from_here=nobody, user_install=True)
    return made


def _slash_commands() -> Iterator[Sentence]:
    place = "bots/discord/commands.py"
    known = tree()
    for kind in (discord.AppCommandType.message, discord.AppCommandType.user):
        for menu in known.get_commands(type=kind):
            yield Sentence(place, menu.name)
    for command in known.walk_commands():
        yield Sentence(place, command.name, context=SLASH)
        yield Sentence(place, command.description)
        for option in command.parameters if isinstance(command, app_commands.Command) else ():
            yield Sentence(place, option.name, context=SLASH)
            yield Sentence(place, str(option.description))
            for choice in option.choices:
                yield Sentence(place, choice.name)
