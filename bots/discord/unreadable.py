"""Skips what discord.py can't parse instead of letting it end the connection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import discord

from bots.discord.ids import NAME
from bots.listening import unreadable
from bots.listening.unreadable import HISTORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from core.metrics import Metrics

Json = dict[str, Any]
T = TypeVar("T")

skipped = partial(unreadable.skipped, NAME)
# Without these there is no session, which is to be begun again; to skip one as a whole would leave the bot deaf.
_OF_THE_SESSION = frozenset({"READY", "RESUMED"})
# What a message, or a server, can't do without; all else may be left out.
# https://discord.com/developers/docs/resources/message#message-object
_MESSAGE = frozenset({"id", "channel_id", "guild_id", "type", "content", "author"})
_GUILD = frozenset({"id", "unavailable"})
# Without one of these, discord.py gives the message no author at all, and says nothing.
_AUTHOR = frozenset({"id", "username", "discriminator", "avatar"})
# Without these, it gives the message no such attribute.
_LISTS = ("mentions", "mention_roles", "components")
_DEEPEST_FORWARD = 3  # forwards in a forward that are read


def guard(client: discord.Client, metrics: Metrics) -> None:
    """Have *client* skip events that it can't read: left alone, discord.py ends the connection with the first one."""
    parsers = client._connection.parsers  # noqa: SLF001  # discord.py has no other place for it
    parsers.update(
        {
            event: _guarded(event, parse, client, metrics)
            for event, parse in parsers.items()
            if event not in _OF_THE_SESSION
        }
    )
    begin = parsers["READY"]
    parsers["READY"] = lambda data: begin(_greeting(client, data, metrics))


def read(client: discord.Client, channel: discord.abc.MessageableChannel, data: object, metrics: Metrics) -> Any:
    """Return the `discord.Message` that REST told as *data*, without what can't be read of it; None if nothing can."""

    def build(said: Json) -> discord.Message:
        return _message(client, channel, said)

    try:
        return build(_object(data))
    except Exception as error:  # noqa: BLE001  # what discord.py raises for what it didn't expect is anything
        skipped(HISTORY, error, metrics)
        mended = mend(data, build, _MESSAGE)
        return build(mended) if mended else None


def mend(data: object, build: Callable[[Json], object], essential: frozenset[str]) -> Json | None:
    """Return as much of *data* as *build* can read; None if it can't read even its *essential* members.

    Of a list, the items that can be read stay. *build* raises for what it can't read, and has no effects.
    """
    if not isinstance(data, dict):
        return None
    core = {key: value for key, value in data.items() if key in essential}
    if not _can(build, core):
        return None
    plain, lists = dict(core), Json()
    for key, value in data.items():
        if key in essential:
            continue
        if isinstance(value, list):  # each by itself: a server has many, and long ones
            if not _can(build, core | {key: value}):
                value = [item for item in value if _can(build, core | {key: [item]})]  # noqa: PLW2901
            if _can(build, core | {key: value}):  # else there is no place for a list
                lists[key] = value
        elif _can(build, plain | {key: value}):  # in order: a reply's message hangs on its reference
            plain[key] = value
    return plain | lists if _can(build, plain | lists) else _joined(build, plain, lists)


def _joined(build: Callable[[Json], object], plain: Json, lists: Json) -> Json:
    """Return *plain* with those of *lists* that can be read beside it and the others."""
    for key, value in lists.items():
        if _can(build, plain | {key: value}):
            plain = plain | {key: value}
    return plain


def _can(build: Callable[[Json], object], data: Json) -> bool:
    try:
        build(data)
    except Exception:  # noqa: BLE001  # as above
        return False
    return True


def _guarded(
    event: str, parse: Callable[[Any], T], client: discord.Client, metrics: Metrics
) -> Callable[[Any], T | None]:
    def parse_or_skip(data: Any) -> T | None:
        try:
            if event in _MENDED:
                _object(data)
            if event in _MESSAGES:
                _check(data)
            return parse(data)
        except Exception as error:  # noqa: BLE001  # as above
            skipped(event, error, metrics)
        mended = _MENDED[event](client, data) if event in _MENDED else None
        # What can be read as it is failed elsewhere, maybe after its listeners were told.
        if mended is not None and mended != data:
            try:
                return parse(mended)
            except Exception as error:  # noqa: BLE001  # as above
                skipped(event, error, metrics)
        return None

    return parse_or_skip


def _greeting(client: discord.Client, data: Json, metrics: Metrics) -> Json:
    """Leave out the servers that can't be read: each is told of once more, by an event of its own."""
    state, guilds = client._connection, data.get("guilds")  # noqa: SLF001
    told = guilds if isinstance(guilds, list) else []
    readable = [one for one in told if _can(lambda told: discord.Guild(data=told, state=state), one)]  # type: ignore[arg-type]
    if readable != guilds:
        skipped("READY", None, metrics)
    return data | {"guilds": readable}


def _mended_message(client: discord.Client, data: object) -> Json | None:
    state = client._connection  # noqa: SLF001

    def build(said: Json) -> discord.Message:
        channel, _ = state._get_guild_channel(said)  # type: ignore[arg-type]  # noqa: SLF001  # as discord.py does
        return _message(client, channel, said)

    return mend(data, build, _MESSAGE)


def _mended_guild(client: discord.Client, data: object) -> Json | None:
    state = client._connection  # noqa: SLF001
    return mend(data, lambda told: discord.Guild(data=told, state=state), _GUILD)  # type: ignore[arg-type]


_MESSAGES = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"})
_MENDED: Mapping[str, Callable[[discord.Client, object], Json | None]] = {
    **dict.fromkeys(_MESSAGES, _mended_message),
    "GUILD_CREATE": _mended_guild,
}


def _message(client: discord.Client, channel: Any, data: Json) -> discord.Message:
    _check(data)
    return client._connection.create_message(channel=channel, data=data)  # type: ignore[arg-type]  # noqa: SLF001


def _check(data: Json) -> None:
    """Raises for what discord.py takes, and what would fail later, when the message is read; adds what may be absent."""
    if not (
        isinstance(data["content"], str) and isinstance(data["author"], dict) and isinstance(data.get("flags", 0), int)
    ):
        raise TypeError
    if not data["author"].keys() >= _AUTHOR:
        raise KeyError
    for name in _LISTS:
        if not isinstance(data.setdefault(name, []), list):
            raise TypeError
    if isinstance(poll := data.get("poll"), dict) and not isinstance(poll["question"]["text"], str):
        raise TypeError
    if isinstance(data.get("message_reference"), dict) and data.get("referenced_message") is not None:
        _check(_object(data["referenced_message"]))
    if isinstance(snapshots := data.get("message_snapshots"), list):
        data["message_snapshots"] = flat = list(_flat(snapshots))
        if not all(isinstance(one["message"]["content"], str) for one in flat):
            raise TypeError


def _flat(snapshots: list[Any], depth: int = _DEEPEST_FORWARD) -> Iterator[Any]:
    """Yield, behind each snapshot, those in it: discord.py reads one level, and no page says that there is no other."""
    for one in snapshots:
        message = one.get("message") if isinstance(one, dict) else None
        inner = message.get("message_snapshots") if isinstance(message, dict) else None
        if isinstance(message, dict) and isinstance(inner, list):
            yield {"message": {key: value for key, value in message.items() if key != "message_snapshots"}}
            yield from _flat(inner, depth - 1) if depth else ()
        else:
            yield one


def _object(data: object) -> Json:
    if not isinstance(data, dict):
        raise TypeError
    return data
