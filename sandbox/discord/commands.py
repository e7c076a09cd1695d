"""The application's registered commands, and what Discord accepts as one.

https://discord.com/developers/docs/interactions/application-commands
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord.refusals import Problems, Refusal
from sandbox.discord.snowflakes import Snowflakes

Json = dict[str, Any]
CHAT_INPUT, USER_COMMAND, MESSAGE_COMMAND = 1, 2, 3
MOST_OF_A_TYPE = {CHAT_INPUT: 100, USER_COMMAND: 15, MESSAGE_COMMAND: 15}
MOST_OPTIONS = MOST_CHOICES = 25
MOST_CHARACTERS = 8_000  # names, descriptions and values of one command
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
OPTION_TYPES = tuple(range(1, 12))
# Discord's pattern is ^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$; `\w` comes near it in Python.
CHAT_NAME = re.compile(r"[-_'\w]{1,32}")
FIELDS_KEPT = (
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "options",
    "default_member_permissions",
    "dm_permission",
    "nsfw",
    "integration_types",
    "contexts",
    "handler",
)


@dataclass(slots=True)
class CommandBook:
    """Commands by where they are registered: a guild's id, or None for everywhere."""

    _by_place: dict[int | None, dict[int, Json]] = field(default_factory=dict)

    def all(self, place: int | None) -> list[Json]:
        return list(self._by_place.get(place, {}).values())

    def one(self, place: int | None, command_id: int) -> Json:
        try:
            return self._by_place[place][command_id]
        except KeyError:
            raise Refusal(10063) from None

    def find(self, guild_id: int | None, name: str, kind: int) -> Json | None:
        """A guild's own command wins over a global one of that name."""
        for place in (guild_id, None):
            for command in self.all(place):
                if command["name"] == name and command["type"] == kind:
                    return command
        return None

    def add(self, place: int | None, body: Json, application_id: int, snowflakes: Snowflakes) -> tuple[Json, bool]:
        """Register; one with the same name and type is overwritten. The second value: whether it is new."""
        problems = Problems()
        _check_command(problems, "", body)
        problems.refuse_any()
        kind = int(body.get("type", CHAT_INPUT))
        known = next((c for c in self.all(place) if (c["name"], c["type"]) == (body["name"], kind)), None)
        of_this_type = sum(1 for command in self.all(place) if command["type"] == kind)
        if known is None and of_this_type >= MOST_OF_A_TYPE[kind]:
            raise Refusal(30032)
        command = _stored(body, place, application_id, known["id"] if known else str(snowflakes.next()), snowflakes)
        self._by_place.setdefault(place, {})[int(command["id"])] = command
        return command, known is None

    def replace(self, place: int | None, bodies: list[Json], application_id: int, snowflakes: Snowflakes) -> list[Json]:
        """Bulk overwrite: all types at once; what is not named is gone."""
        problems = Problems()
        seen: set[tuple[object, object]] = set()
        for index, body in enumerate(bodies):
            _check_command(problems, str(index), body)
            key = (body.get("name"), body.get("type", CHAT_INPUT))
            if key in seen:
                problems.add(
                    f"{index}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
                )
            seen.add(key)
        problems.refuse_any()
        for kind, most in MOST_OF_A_TYPE.items():
            if sum(1 for body in bodies if body.get("type", CHAT_INPUT) == kind) > most:
                raise Refusal(30032)
        ids = {(command["name"], command["type"]): command["id"] for command in self.all(place)}
        commands = [
            _stored(
                body,
                place,
                application_id,
                ids.get((body["name"], body.get("type", CHAT_INPUT))) or str(snowflakes.next()),
                snowflakes,
            )
            for body in bodies
        ]
        self._by_place[place] = {int(command["id"]): command for command in commands}
        return commands

    def change(self, place: int | None, command_id: int, body: Json, snowflakes: Snowflakes) -> Json:
        command = self.one(place, command_id)
        merged = {**command, **{key: body[key] for key in FIELDS_KEPT if key in body}}
        problems = Problems()
        _check_command(problems, "", merged)
        problems.refuse_any()
        merged["version"] = str(snowflakes.next())
        self._by_place[place][command_id] = merged
        return merged

    def remove(self, place: int | None, command_id: int) -> None:
        self.one(place, command_id)
        del self._by_place[place][command_id]


def _stored(body: Json, place: int | None, application_id: int, command_id: str, snowflakes: Snowflakes) -> Json:
    command: Json = {
        "id": command_id,
        "application_id": str(application_id),
        "version": str(snowflakes.next()),
        "default_member_permissions": None,
        "type": CHAT_INPUT,
        "name_localizations": None,
        "description": "",
        "description_localizations": None,
        "dm_permission": True,
        "contexts": None,
        "integration_types": [0],
        "nsfw": False,
    }
    command |= {key: body[key] for key in (*FIELDS_KEPT, "type") if body.get(key) is not None}
    if place is not None:
        command["guild_id"] = str(place)
        del command["dm_permission"]
    if command["default_member_permissions"] is not None:
        command["default_member_permissions"] = str(command["default_member_permissions"])
    return command


def _check_command(problems: Problems, path: str, body: Json) -> None:
    kind = body.get("type", CHAT_INPUT)
    problems.one_of(_at(path, "type"), kind, tuple(MOST_OF_A_TYPE))
    if kind == CHAT_INPUT:
        _check_name(problems, _at(path, "name"), body.get("name"))
        problems.length(_at(path, "description"), body.get("description"), 1, 100)
        _check_options(problems, _at(path, "options"), body.get("options") or [])
    else:
        problems.length(_at(path, "name"), body.get("name"), 1, 32)
        if body.get("description"):
            problems.add(
                _at(path, "description"),
                "APPLICATION_COMMAND_INVALID_DESCRIPTION",
                "Context menu commands cannot have description",
            )
    for name, most in (("integration_types", 1), ("contexts", 2)):
        for index, one in enumerate(body.get(name) or []):
            problems.one_of(_at(path, f"{name}.{index}"), one, tuple(range(most + 1)))
    if sum(len(text) for text in _texts(body)) > MOST_CHARACTERS:
        problems.add(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({MOST_CHARACTERS})")


def _check_options(problems: Problems, path: str, options: object) -> None:
    if not problems.count(path, options, 0, MOST_OPTIONS) or not isinstance(options, list):
        return
    names: set[object] = set()
    optional_seen = False
    for index, option in enumerate(options):
        here = f"{path}.{index}"
        problems.one_of(f"{here}.type", option.get("type"), OPTION_TYPES)
        _check_name(problems, f"{here}.name", option.get("name"))
        problems.length(f"{here}.description", option.get("description"), 1, 100)
        _check_choices(problems, here, option)
        _check_options(problems, f"{here}.options", option.get("options") or [])
        if option.get("name") in names:
            problems.add(
                f"{here}.name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists"
            )
        names.add(option.get("name"))
        if option.get("required") and optional_seen:
            problems.add(
                here,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not option.get("required")


def _check_choices(problems: Problems, path: str, option: Json) -> None:
    choices = option.get("choices") or []
    if not problems.count(f"{path}.choices", choices, 0, MOST_CHOICES):
        return
    if choices and option.get("autocomplete"):
        problems.add(
            path, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES", "Autocomplete options cannot have choices"
        )
    for index, choice in enumerate(choices):
        problems.length(f"{path}.choices.{index}.name", choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str):
            problems.length(f"{path}.choices.{index}.value", choice["value"], 0, 100)


def _check_name(problems: Problems, path: str, name: object) -> None:
    if not isinstance(name, str):
        problems.add(path, "BASE_TYPE_REQUIRED", "This field is required")
    elif not CHAT_NAME.fullmatch(name) or name != name.lower():
        problems.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _texts(node: Json) -> Iterator[str]:
    yield str(node.get("name") or "")
    yield str(node.get("description") or "")
    for choice in node.get("choices") or []:
        yield str(choice.get("name") or "")
        yield json.dumps(choice.get("value"))
    for option in node.get("options") or []:
        yield from _texts(option)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
