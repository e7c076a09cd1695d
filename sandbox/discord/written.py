"""Reads a slash command as somebody writes it in one line, as `/preset set name:brief`."""

import shlex
from typing import Any

from sandbox.discord.commands import SUBCOMMAND, SUBCOMMAND_GROUP
from sandbox.discord.model import Channel, File
from sandbox.discord.options import ATTACHMENT, BOOLEAN, INTEGER, NUMBER, STRING
from sandbox.discord.world import World

Json = dict[str, Any]
QUOTED = 50  # characters of what is not understood


def read_command(world: World, channel: Channel, text: str, files: list[File]) -> tuple[str, dict[str, object]]:
    """The command's words and its options, as the bot has declared them; without names, all is for the first that is text.

    Raises ValueError.
    """
    name, _, rest = text.removeprefix("/").partition(" ")
    words = [name]
    command = world.commands.find(None if channel.is_dm else world.guild_id, name, 1)
    options = (command or {}).get("options") or []
    groups = (SUBCOMMAND, SUBCOMMAND_GROUP)
    while sub := next((one for one in options if one["type"] in groups and one["name"] == _first(rest)), None):
        words.append(sub["name"])
        options, rest = sub.get("options") or [], rest.strip().partition(" ")[2]
    return " ".join(words), _given(options, rest.strip(), files)


def _given(declared: list[Json], written: str, files: list[File]) -> dict[str, object]:
    names = {one["name"]: one for one in declared}
    given: dict[str, object] = {}
    free: list[str] = []
    for word in _words(written):
        name, mark, value = word.partition(":")
        if mark and name in names:
            given[name] = _value(names[name]["type"], value)
        else:
            free.append(word)
    first = next((one["name"] for one in declared if one["type"] == STRING and one["name"] not in given), None)
    if free and first:
        # As it was written: a question keeps its spaces and quotes.
        given[first] = written if not given else " ".join(free)
    elif free:
        there = ", ".join(names) or "none"
        raise ValueError(f"There is no option for “{' '.join(free)[:QUOTED]}”. Options: {there}.")
    takes_files = (one["name"] for one in declared if one["type"] == ATTACHMENT)
    return given | dict(zip(takes_files, files, strict=False))


def _words(written: str) -> list[str]:
    try:
        return shlex.split(written)
    except ValueError:  # a quotation mark alone, as in a question
        return written.split()


def _value(kind: int, value: str) -> object:
    try:
        return {INTEGER: int, NUMBER: float}.get(kind, str)(value) if kind != BOOLEAN else value.casefold() == "true"
    except ValueError:
        raise ValueError(f"“{value[:QUOTED]}” is no number.") from None


def _first(text: str) -> str:
    return text.strip().partition(" ")[0]
