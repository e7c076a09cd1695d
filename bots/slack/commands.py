"""Takes slash commands: each is obeyed, or asked, once."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import structlog

from bots.listening.router import recorded_within
from bots.slack.events import channel_of_command
from bots.slack.ids import NAME
from bots.slack.limits import escaped, fallback
from bots.slack.markdown import joined, pages
from bots.slack.markdown import words as words_of
from bots.slack.written import plain
from core.commands import BY_WORD, Verb, parse
from core.errors import StorageUnavailable, Unwelcome
from core.language import marked, say, speaking
from core.obeying import Told
from core.words import is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bots.slack.api import Identity
    from bots.slack.people import People
    from bots.slack.ways import Ways
    from core.commands import Command
    from core.relay import Relay

TRIED_WITHIN = 1.2  # seconds of those in which Slack waits, for a model that nobody has heard of
_FOR_THREADS = (Verb.RESET, Verb.RETRY, *BY_WORD)
_ONLY_IN_THREADS = marked("To {command}, go to the thread and write `@bobbin {command}`.")

log = structlog.get_logger(__name__)


class Commands:
    def __init__(self, relay: Relay, identity: Identity, people: People, ways: Ways, *, recorded_within: float) -> None:
        self._relay = relay
        self._identity = identity
        self._people = people
        self._ways = ways
        self._recorded_within = recorded_within

    async def take(self, command: Mapping[str, Any], signature: str = "") -> dict[str, Any]:
        """Obey a slash command, or ask what it says, or open a form for a question; return what to say.

        Once by its trigger, or by its *signature* should it have none.
        """
        with speaking(await self._ways.language_of(command["user_id"])):
            return await self._take(command, signature)

    async def _take(self, command: Mapping[str, Any], signature: str) -> dict[str, Any]:
        words = plain(command.get("text") or "", self._identity.user, names={})
        occasion = str(command.get("trigger_id") or signature)
        if wanted := parse(words):
            return _said(await self._obey(wanted, command, occasion))
        if is_blank(words):
            problem = await self._ways.open_for_command(command)
        else:
            problem = await self._ways.command(command, words, occasion or secrets.token_hex())
        return _said(Told(problem)) if problem else {}

    async def _obey(self, wanted: Command, command: Mapping[str, Any], occasion: str) -> Told:
        if wanted.verb in _FOR_THREADS and not command["channel_id"].startswith("D"):
            return Told(say(_ONLY_IN_THREADS, command=wanted.verb))
        user = command["user_id"]
        try:
            async with recorded_within(self._recorded_within):
                return await self._relay.obey(
                    wanted,
                    channel_of_command(command),
                    user,
                    occasion=f"{NAME}/{occasion}" if occasion else "",
                    may_change=lambda: self._people.check_member(user),
                    within=TRIED_WITHIN,
                )
        except (StorageUnavailable, Unwelcome) as refusal:
            return Told(refusal.sentence)


def _said(told: Told) -> dict[str, Any]:
    blocks = joined(*pages(told.sentence))
    return {
        # What everybody in the channel should see who did.
        "response_type": "in_channel" if told.is_done else "ephemeral",
        "text": escaped(fallback(words_of(blocks))),
        "blocks": blocks,
    }
