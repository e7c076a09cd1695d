"""Whom a message mentions and whom it pings, once `allowed_mentions` has had its say.

https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.discord.model import Channel, Message, User
from sandbox.discord.permissions import Permission, permissions_of
from sandbox.discord.refusals import Problems
from sandbox.discord.world import World

Json = dict[str, Any]
CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)  # nothing in code pings
USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")
PLACE = re.compile(r"<#(\d+)>")
EVERYONE = re.compile(r"@(?:everyone|here)\b")
KINDS = ("users", "roles", "everyone")
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Allowed:
    """None for users or roles: all of them."""

    users: frozenset[int] | None = None
    roles: frozenset[int] | None = None
    everyone: bool = True
    replied_user: bool = True


ALL = Allowed()
USERS_ONLY = Allowed(roles=frozenset(), everyone=False)  # what interactions and webhooks start from


def allowed_from(body: Json, default: Allowed) -> Allowed:
    """Read `allowed_mentions` of a checked form."""
    wish = body.get("allowed_mentions")
    if wish is None:
        return default
    parsed = wish.get("parse") or []
    return Allowed(
        users=None if "users" in parsed else frozenset(map(int, wish.get("users") or [])),
        roles=None if "roles" in parsed else frozenset(map(int, wish.get("roles") or [])),
        everyone="everyone" in parsed,
        replied_user=bool(wish.get("replied_user")),
    )


def check_allowed_mentions(problems: Problems, wish: object) -> None:
    if wish is None:
        return
    path = "allowed_mentions"
    if not isinstance(wish, dict):
        problems.add(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    parsed = wish.get("parse") or []
    for index, kind in enumerate(parsed):
        problems.one_of(f"{path}.parse.{index}", kind, KINDS)
    for kind in ("users", "roles"):
        problems.count(f"{path}.{kind}", wish.get(kind) or [], 0, MOST_NAMED)
        if not all(str(one).isdigit() for one in wish.get(kind) or []):
            problems.add(f"{path}.{kind}", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
        if kind in parsed and wish.get(kind):
            problems.add(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f"parse:{kind} and {kind} are exclusive")


@dataclass(frozen=True, slots=True)
class Mentions:
    users: list[int]
    roles: list[int]
    everyone: bool


def mentions_in(world: World, author: User, channel: Channel, text: str, allowed: Allowed) -> Mentions:
    spoken = CODE.sub(" ", text)
    may_ping_all = bool(permissions_of(world, author, channel) & Permission.MENTION_EVERYONE)
    users = [
        key for key in _ids(USER, spoken) if key in world.users and (allowed.users is None or key in allowed.users)
    ]
    roles = [
        key
        for key in _ids(ROLE, spoken)
        if key in world.roles
        and (allowed.roles is None or key in allowed.roles)
        and (may_ping_all or world.roles[key].mentionable)
    ]
    everyone = allowed.everyone and may_ping_all and bool(EVERYONE.search(spoken)) and not channel.is_dm
    return Mentions(users, roles, everyone)


def names_in(world: World, text: str) -> dict[str, str]:
    """What Discord's own client shows for the mentions in *text*."""
    names = {found[0]: f"@{world.users[int(found[1])].name}" for found in _known(USER, text, world.users)}
    names |= {found[0]: f"@{world.roles[int(found[1])].name}" for found in _known(ROLE, text, world.roles)}
    return names | {found[0]: f"#{world.channels[int(found[1])].name}" for found in _known(PLACE, text, world.channels)}


def _known(pattern: re.Pattern[str], text: str, known: Container[int]) -> Iterator[re.Match[str]]:
    return (found for found in pattern.finditer(text) if int(found[1]) in known)


def pinged(world: World, author: User, mentions: Mentions) -> frozenset[int]:
    """The people who hear a sound; nobody pings themselves."""
    people: set[int] = set(mentions.users)
    for user in world.users.values():
        if mentions.everyone or set(user.roles) & set(mentions.roles):
            people.add(user.id)
    return frozenset(people - {author.id})


def with_reply(mentions: Mentions, replied: Message | None, allowed: Allowed, author: User) -> Mentions:
    """A reply mentions whom it answers, if it may."""
    if replied is None or replied.author is author or not allowed.replied_user:
        return mentions
    users = [*mentions.users, replied.author.id]
    return Mentions(list(dict.fromkeys(users)), mentions.roles, mentions.everyone)


def _ids(pattern: re.Pattern[str], text: str) -> Iterable[int]:
    return dict.fromkeys(int(found) for found in pattern.findall(text))
