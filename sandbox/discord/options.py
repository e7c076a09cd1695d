"""Turns what a person typed behind a slash command into the data of an interaction, by the registered command.

https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-application-command-data-structure
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.discord import payloads
from sandbox.discord.commands import CHAT_INPUT, SUBCOMMAND, SUBCOMMAND_GROUP
from sandbox.discord.model import Attachment, Channel, File, Role, User
from sandbox.discord.permissions import permissions_of
from sandbox.discord.world import World

Json = dict[str, Any]
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
PLAIN: dict[int, tuple[type, ...]] = {STRING: (str,), INTEGER: (int,), BOOLEAN: (bool,), NUMBER: (int, float)}


class CommandLine:
    """One use of a chat command: `preset set` with its options."""

    def __init__(
        self, world: World, words: str, guild_id: int | None, channel: Channel, find: Callable[[int, object], object]
    ) -> None:
        """*find* makes a user (6) or channel (7) of whatever a test writes for one."""
        self._world = world
        self._channel = channel
        self._find = find
        self.resolved: Json = {}
        self.name, *path = words.removeprefix("/").split()
        command = world.commands.find(guild_id, self.name, CHAT_INPUT)
        if command is None:
            known = ", ".join(sorted(c["name"] for c in world.commands.all(None) + world.commands.all(guild_id)))
            raise ValueError(f"The bot has registered no command /{self.name}. Registered: {known or 'none'}.")
        self.command = command
        self._path: list[Json] = []
        for word in path:
            self._path.append(self._sub(word))

    def _sub(self, word: str) -> Json:
        for option in self._leaf.get("options") or []:
            if option["name"] == word and option["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP):
                return dict(option)
        raise ValueError(f"/{self.name} has no subcommand {word!r}.")

    @property
    def _leaf(self) -> Json:
        return self._path[-1] if self._path else self.command

    def data(self, given: Mapping[str, object], focused: str | None = None) -> Json:
        """*focused*: the option being typed, for autocomplete; then others may still be missing."""
        options = self._options(given, focused)
        for step in reversed(self._path):
            options = [{"name": step["name"], "type": step["type"], "options": options}]
        data: Json = {
            "id": self.command["id"],
            "name": self.name,
            "type": CHAT_INPUT,
            "options": options,
        }
        if "guild_id" in self.command:
            data["guild_id"] = self.command["guild_id"]
        if self.resolved:
            data["resolved"] = self.resolved
        return data

    def _options(self, given: Mapping[str, object], focused: str | None) -> list[Json]:
        declared = {one["name"]: one for one in self._leaf.get("options") or []}
        if any(one["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP) for one in declared.values()):
            raise ValueError(f"/{self.name} needs one of its subcommands: {', '.join(declared)}.")
        unknown = set(given) - set(declared)
        if unknown:
            raise ValueError(f"/{self.name} has no option {', '.join(sorted(unknown))}. It has: {', '.join(declared)}.")
        if focused is None:
            missing = [name for name, one in declared.items() if one.get("required") and name not in given]
            if missing:
                raise ValueError(f"/{self.name} needs {', '.join(missing)}.")
        options = []
        for name, value in given.items():
            if name == focused:
                options.append({"name": name, "type": declared[name]["type"], "value": value, "focused": True})
            else:
                options.append(
                    {"name": name, "type": declared[name]["type"], "value": self._value(declared[name], value)}
                )
        return options

    def _value(self, option: Json, value: object) -> object:
        kind, name = option["type"], option["name"]
        if kind in PLAIN:
            if not isinstance(value, PLAIN[kind]) or (isinstance(value, bool) and kind != BOOLEAN):
                raise ValueError(f"Option {name} wants {PLAIN[kind][0].__name__}, not {value!r}.")
            _check_bounds(option, value)
            return value
        if kind == ATTACHMENT and isinstance(value, File):
            attachment = Attachment(self._world.snowflakes.next(), value, self._channel.id)
            self._world.uploads[attachment.id] = attachment
            self._resolve("attachments", attachment.id, payloads.attachment_json(self._world, attachment))
            return str(attachment.id)
        found = self._find(kind, value)
        if isinstance(found, User):
            self._resolve("users", found.id, payloads.user_json(found))
            self._resolve("members", found.id, payloads.member_json(found, with_user=False) | self._rights(found))
        elif isinstance(found, Channel):
            self._resolve(
                "channels", found.id, payloads.channel_json(self._world, found) | self._rights(self._world.bot)
            )
        elif isinstance(found, Role):
            self._resolve("roles", found.id, payloads.role_json(found))
        else:
            raise TypeError(f"Option {name} cannot be {value!r}.")
        return str(found.id)

    def _rights(self, user: User) -> Json:
        return {"permissions": str(permissions_of(self._world, user, self._channel))}

    def _resolve(self, kind: str, key: int, payload: Json) -> None:
        self.resolved.setdefault(kind, {})[str(key)] = payload


def _check_bounds(option: Json, value: object) -> None:
    name = option["name"]
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise ValueError(f"Option {name} has no choice {value!r}. It has: {choices}.")
    if isinstance(value, str):
        least, most = option.get("min_length", 0), option.get("max_length", 6_000)
        if not least <= len(value) <= most:
            raise ValueError(f"Option {name} takes {least} to {most} characters.")
    elif isinstance(value, (int, float)):
        least, most = option.get("min_value"), option.get("max_value")
        if (least is not None and value < least) or (most is not None and value > most):
            raise ValueError(f"Option {name} lies between {least} and {most}.")
