"""Takes what people do by Discord's own means: clicks on buttons, forms, commands that ask, the menus of messages."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import discord
import structlog

from bots.discord.buttons import helps_at, read_click, read_share, row_of
from bots.discord.errors import overlooking, translated
from bots.discord.events import read_command
from bots.discord.hourglass import WAITS
from bots.discord.note import Token, notes
from bots.discord.rendering import DiscordRenderer, content, when_it_helps
from bots.discord.token import CLOSED, opened
from bots.discord.tree import Interaction, explain, is_manager, tell
from bots.listening.router import recorded_within
from bots.reply.page import OF_FINISHED, Page, Wish
from bots.reply.wanted import instead, where_it_stands
from core.errors import ChatError, facts
from core.language import say, speaking
from core.turn import Status

if TYPE_CHECKING:
    from bots.discord.askers import Askers
    from bots.discord.events import Asking
    from bots.discord.finished import Finished
    from bots.discord.languages import Languages
    from bots.discord.menus import Menus
    from bots.discord.names import Names
    from bots.discord.note import Where
    from bots.discord.times import Times
    from bots.kit import Kit
    from bots.listening.events import Clicked, Shared
    from bots.listening.router import Router
    from bots.reply.note import Note
    from core.relay import Relay
    from core.turn import Accepted, QuestionKey

# A command's response can be edited for 15 minutes; an edit must not come a moment too late:
# https://discord.com/developers/docs/interactions/receiving-and-responding#followup-messages
TOKEN_LIFETIME = 14 * 60.0  # seconds

log = structlog.get_logger(__name__)


class Interactions:
    """Discord waits three seconds for a response to each; after that, its asker is told that nothing came of it."""

    def __init__(
        self,
        relay: Relay,
        router: Router,
        kit: Kit,
        times: Times,
        *,
        menus: Menus,
        finished: Finished,
        names: Names,
        askers: Askers,
        languages: Languages,
        deferring: dict[QuestionKey, asyncio.Event],
    ) -> None:
        """*deferring* is to hold the commands that Discord isn't told yet we are at."""
        self._relay = relay
        self._router = router
        self._kit = kit
        self._times = times
        self._menus = menus
        self._finished = finished
        self._names = names
        self._askers = askers
        self._languages = languages
        self._deferring = deferring
        self._notes = notes()

    async def take(self, interaction: Interaction) -> None:
        """Take a click, or a form; commands have their own way."""
        if interaction.type not in (discord.InteractionType.component, discord.InteractionType.modal_submit):
            return
        self._askers.heard(interaction.user)
        with speaking(self._languages.heard(interaction)):
            await self._take(interaction)

    async def _take(self, interaction: Interaction) -> None:
        try:
            if click := read_click(interaction):
                if click.wish in OF_FINISHED:
                    await self._finished.take(interaction, click, self._token_of(interaction))
                else:
                    await self._click(interaction, click)
            elif shared := read_share(interaction, self._token_of(interaction)):
                await self._share(interaction, shared)
            elif await self._finished.comment(interaction):
                return
            elif asking := await self._menus.read(interaction):
                await self.ask(interaction, asking)
        except Exception as error:  # noqa: BLE001 (any failure is logged, and the person who clicked is told)
            await explain(interaction, error)

    async def _click(self, interaction: Interaction, click: Clicked) -> None:
        """Do what a button is for."""
        if (until := helps_at(interaction)) > time.time():
            with overlooking():
                await interaction.response.send_message(when_it_helps(until), ephemeral=True)
            return
        async with recorded_within(self._times.recorded_within):
            if await self._is_closed(click):
                problem = say(CLOSED)
            else:
                problem = await self._router.click(click, lambda: _answered(is_manager(interaction)))
        if problem:
            await tell(interaction, problem, ephemeral=True)
        else:
            with overlooking():
                await interaction.response.defer()

    async def _is_closed(self, click: Clicked) -> bool:
        """Is another answer wanted where nothing could show it any more?"""
        turn = await self._relay.turn(click.key) if click.wish is Wish.AGAIN else None
        if turn is None:
            return False
        where = self._notes.read(turn.reply).where
        return where.is_by_token_only(turn) and opened(where, self._kit.secret_box) is None

    async def _share(self, interaction: Interaction, shared: Shared) -> None:
        # First, since the click's own token may be what shows it, and it opens nothing before.
        with overlooking():
            await interaction.response.defer()
        if problem := await self._router.share(shared):
            await tell(interaction, problem, ephemeral=True)

    def _token_of(self, interaction: Interaction) -> Token:
        sealed = self._kit.secret_box.close(interaction.token)
        return Token(interaction.application_id, sealed, time.time() + TOKEN_LIFETIME)

    async def ask_since(self, interaction: Interaction, message: discord.Message) -> None:
        """Take a wish to know what was said since *message*: reading that may take longer than Discord waits."""
        with overlooking(), translated():
            await interaction.response.defer(thinking=True, ephemeral=True)
        await self.ask(interaction, await self._menus.since(interaction, message))

    async def ask(self, interaction: Interaction, asking: Asking) -> None:
        asked = read_command(interaction, asking, self._token_of(interaction), names=self._names)
        # Discord takes nothing for a response before it was told that one comes.
        deferring = self._deferring[asked.question.key] = asyncio.Event()
        try:
            async with recorded_within(self._times.recorded_within):
                accepted = await self._relay.ask(asked.question, asked.note.write())
            with overlooking(), translated():
                if accepted.is_new and accepted.turn.shown:  # refused, and no turn will tell
                    await tell(interaction, accepted.turn.answer, ephemeral=True)
                elif interaction.response.is_done():
                    pass
                elif accepted.turn.waited and accepted.turn.status is Status.QUEUED:
                    await _say_it_waits(interaction, accepted, asked.note)
                else:
                    await interaction.response.defer(thinking=True, ephemeral=asked.question.is_private)
        except ChatError as refusal:  # recorded, it is answered, if need be in the channel
            log.warning("Discord refuses the acknowledgement of a command; answering all the same", **facts(refusal))
        finally:
            deferring.set()
            del self._deferring[asked.question.key]


async def _say_it_waits(interaction: Interaction, accepted: Accepted, note: Note[Where]) -> None:
    """Respond with where the question stands; its answer comes into the same message."""
    turn = accepted.turn
    waits = f"{WAITS} {where_it_stands(accepted.before)}"
    renderer = DiscordRenderer(turn, note)
    opening = "".join(renderer.pages(renderer.opening)[:1])
    page = Page(opening, aside=waits, buttons=(instead(turn),))
    await interaction.response.send_message(
        content(page),
        view=row_of(page.buttons, note.where, turn.question.key),
        ephemeral=turn.question.is_private,
        suppress_embeds=True,
    )


async def _answered(answer: bool) -> bool:  # noqa: FBT001
    return answer
