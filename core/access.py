"""The rule of who may ask, given what a chat tells of somebody. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["people", "roles", "channels", "workspaces", "bots"]
Why = Literal["person", "role", "channel", "workspace", "guest", "external", "bot", "unsure"]

# In a list of channels or workspaces: direct conversations with the bot, whose ids nobody knows beforehand.
DIRECT = "direct"
_BOT = "bot:"  # before the ids of askers that are no people


def bot_asker(id_: str) -> str:
    """Return how a bot is called that asks; nobody on any platform is called like this."""
    return f"{_BOT}{id_}"


def is_bot(asker: str) -> bool:
    return asker.startswith(_BOT)


def id_of(asker: str) -> str:
    """Return the id of an asker, as the platform writes it."""
    return asker.removeprefix(_BOT)


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a platform's ids of one kind."""

    pattern: re.Pattern[str]
    example: str  # and where to find one, for people


@dataclass(frozen=True, slots=True)
class Asker:
    """An asker and where they ask, in the platform's own ids; None for what it doesn't tell."""

    ids: frozenset[str]  # of a person one; of a bot, each under which it may be listed
    channels: frozenset[str] = frozenset()  # what the conversation lies in: a thread, its channel, …
    workspace: str = ""  # a server is one as well; empty of a direct conversation that lies in none
    is_direct: bool = False  # is nobody there but the asker and the bot?
    roles: frozenset[str] | None = frozenset()
    is_guest: bool | None = False
    is_external: bool | None = False  # of another organisation, in a place that is shared with it
    is_bot: bool = False

    @property
    def places(self) -> frozenset[str]:
        return self.channels | ({DIRECT} if self.is_direct else frozenset())

    @property
    def spaces(self) -> frozenset[str]:
        """The workspace; a direct conversation that lies in none is named by what it is."""
        return frozenset({self.workspace} if self.workspace else {DIRECT} if self.is_direct else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of who may ask in one chat. A denial wins; an empty allowance is one for everybody."""

    allow_people: frozenset[str] = frozenset()
    deny_people: frozenset[str] = frozenset()
    allow_roles: frozenset[str] = frozenset()
    deny_roles: frozenset[str] = frozenset()
    allow_channels: frozenset[str] = frozenset()
    deny_channels: frozenset[str] = frozenset()
    allow_workspaces: frozenset[str] = frozenset()
    deny_workspaces: frozenset[str] = frozenset()
    guests: bool = True
    external: bool = False
    bots: frozenset[str] = frozenset()

    def of(self, forms: Mapping[Kind, Form]) -> Rules:
        """Return what these say of a chat that writes its ids in these *forms*: the ids of another mean nothing to it.

        All of them mean something to one that doesn't say how it writes them.
        """
        if not forms:
            return self

        def own(kind: Kind, ids: frozenset[str]) -> frozenset[str]:
            return frozenset(one for one in ids if is_of(kind, one, forms))

        return Rules(
            allow_people=own("people", self.allow_people),
            deny_people=own("people", self.deny_people),
            allow_roles=own("roles", self.allow_roles),
            deny_roles=own("roles", self.deny_roles),
            allow_channels=own("channels", self.allow_channels),
            deny_channels=own("channels", self.deny_channels),
            allow_workspaces=own("workspaces", self.allow_workspaces),
            deny_workspaces=own("workspaces", self.deny_workspaces),
            guests=self.guests,
            external=self.external,
            bots=own("bots", self.bots),
        )

    @property
    def roles(self) -> frozenset[str]:
        """All for which it matters who has them."""
        return self.allow_roles | self.deny_roles

    def refuses(self, asker: Asker) -> Why | None:
        """Return what *asker* is refused for, None if nothing.

        Where the chat doesn't tell what this depends on, nobody is let in for that.
        """
        if asker.is_bot and not asker.ids & self.bots:
            return "bot"
        return self._refuses_place(asker) or (None if asker.is_bot else self._refuses_person(asker))

    def _refuses_place(self, asker: Asker) -> Why | None:
        if asker.places & self.deny_channels or (self.allow_channels and not asker.places & self.allow_channels):
            return "channel"
        spaces = asker.spaces
        if spaces & self.deny_workspaces or (self.allow_workspaces and not spaces & self.allow_workspaces):
            return "workspace"
        return None

    def _refuses_person(self, asker: Asker) -> Why | None:
        if asker.ids & self.deny_people:
            return "person"
        if self.deny_roles and (asker.roles is None or asker.roles & self.deny_roles):
            return "role"
        if not self.external and asker.is_external is not False:
            return "external"
        if not self.guests and asker.is_guest is not False:
            return "guest"
        if self._allows(asker):
            return None
        return "role" if self.allow_roles else "person"

    def _allows(self, asker: Asker) -> bool:
        """Is *asker* on one of the two lists that let people in, if there is any?"""
        if not (self.allow_people or self.allow_roles):
            return True
        return bool(asker.ids & self.allow_people or (asker.roles or frozenset()) & self.allow_roles)


def is_of(kind: Kind, id_: str, forms: Mapping[Kind, Form]) -> bool:
    """Can *id_* be one of that *kind* where ids have these *forms*?"""
    if id_ == DIRECT:
        return kind in ("channels", "workspaces")
    return kind in forms and bool(forms[kind].pattern.fullmatch(id_))
