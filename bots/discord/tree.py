"""Takes slash commands and the entries of a message's menu: each is obeyed, or its giver is told why not."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import app_commands

from bots.discord.errors import ALREADY_ANSWERED, UNKNOWN_INTERACTION, overlooking, translated
from bots.discord.events import is_in_channel, thread_of_command
from bots.discord.ids import NAME
from bots.discord.languages import Languages, Translator, as_slashes, in_slashes, language_of
from bots.discord.markdown import pages
from bots.discord.unreadable import skipped
from bots.listening.router import recorded_within
from core.commands import Command
from core.errors import BobbinError, ChatError, NotAllowed, Refused, StorageUnavailable, facts
from core.language import marked, say, speaking
from core.permission import TRIED_WITHIN

if TYPE_CHECKING:
    from bots.kit import Notes
    from core.metrics import Metrics
    from core.relay import Relay

Interaction = discord.Interaction[discord.Client]
COMMANDS_NOTE = "discord/commands"
_MAY_NOT_SWITCH = marked(
    "Only the person who started a thread, or people who can manage the channel, can switch its model. `/model` shows which "
    "one answers."
)
_MAY_NOT = marked("Only people who can manage this channel can change its preset. `/preset show` shows it.")

UNREADABLE_COMMAND = marked("I couldn't read that command. Please try again, or mention me with your question instead.")
OTHER_COMMAND = marked(
    "This command has changed. Restart Discord to see the new one, or mention me with your question instead."
)
INTERACTION = "INTERACTION_CREATE"  # as the label of the metric
_SLASH = discord.AppCommandType.chat_input.value
_TEXT = discord.AppCommandOptionType.string.value

log = structlog.get_logger(__name__)


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands, and what happens when one of them fails."""

    def __init__(
        self,
        client: discord.Client,
        relay: Relay,
        own_task: Callable[[], None],
        metrics: Metrics,
        *,
        heard: Callable[[discord.abc.User], None],
        languages: Languages,
        recorded_within: float,
    ) -> None:
        """*own_task* is called inside of every task in which a command runs, and *heard* is told who gives each.

        So many seconds a command has to be recorded, until its asker is told that it isn't.
        """
        contexts = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)
        installs = app_commands.AppInstallationType(guild=True, user=False)
        super().__init__(client, allowed_contexts=contexts, allowed_installs=installs)
        self._relay = relay
        self._recorded_within = recorded_within
        self._own_task = own_task
        self._heard = heard
        self._languages = languages
        self._metrics = metrics

    async def obey(self, interaction: Interaction, command: Command, *, ephemeral: bool) -> None:
        by, occasion = str(interaction.user.id), f"{NAME}/{interaction.id}"

        async def manages() -> bool:
            return is_manager(interaction)

        async def may_change() -> None:
            if not is_manager(interaction):
                raise NotAllowed(as_slashes(say(_MAY_NOT_SWITCH if command.switches_model else _MAY_NOT)))

        thread, own, seconds = thread_of_command(interaction), is_in_channel(interaction), self._recorded_within
        if self._relay.permission.is_to_try(command):
            with overlooking(), translated():
                await interaction.response.defer(thinking=True)
            seconds += TRIED_WITHIN
        async with recorded_within(seconds):
            told = await self._relay.obey(
                command, thread, by, occasion=occasion, may_change=may_change, manages=manages, own=own
            )
        await tell(interaction, in_slashes(told.sentence), ephemeral=ephemeral or not told.is_done)

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            await _suggest_nothing(interaction)
        else:
            with speaking(language_of(interaction)):
                await explain(
                    interaction, error.original if isinstance(error, app_commands.CommandInvokeError) else error
                )

    async def _call(self, interaction: Interaction) -> None:
        """Run the command; one that can't be read is skipped, since discord.py does this in a task that nobody watches."""
        self._own_task()
        self._heard(interaction.user)
        with speaking(self._languages.heard(interaction)):
            await self._run(interaction)

    async def _run(self, interaction: Interaction) -> None:
        try:
            if not isinstance(interaction.token, str):
                raise TypeError  # noqa: TRY301  # as below
            _check_texts(interaction.data)
            if self._fits(interaction):
                await super()._call(interaction)
            else:
                await _suggest_nothing(interaction)
        except app_commands.AppCommandError:
            raise
        except Exception as error:  # noqa: BLE001  # what discord.py raises for what it didn't expect is anything
            skipped(INTERACTION, error, self._metrics)
            if interaction.type is discord.InteractionType.application_command:
                await explain(interaction, Refused(say(UNREADABLE_COMMAND)))

    def _fits(self, interaction: Interaction) -> bool:
        """Return False if suggestions are wanted where there are none: discord.py would log a traceback.

        Raises AppCommandError for a command that there isn't, or whose options were of another type.
        """
        data: Any = interaction.data
        if data.get("type", _SLASH) != _SLASH:
            return True
        command, options = self._get_app_command_options(data)
        types = {parameter.name: parameter.type.value for parameter in command.parameters}
        if any(types.get(option["name"], option["type"]) != option["type"] for option in options):
            raise app_commands.CommandSignatureMismatch(command)
        if interaction.type is not discord.InteractionType.autocomplete:
            return True
        typed = [option["name"] for option in options if option.get("focused")]
        return any(parameter.autocomplete and parameter.name in typed for parameter in command.parameters)

    async def sync_if_changed(self, notes: Notes) -> None:
        """Register the commands with Discord, unless it has exactly these; the bot can do without."""
        application, translator = self.client.application_id, Translator()
        await self.set_translator(translator)
        payload = [await command.get_translated_payload(self, translator) for command in self.get_commands()]
        digest = hashlib.sha256(json.dumps([application, payload], sort_keys=True).encode()).hexdigest()
        try:
            if await notes.note(COMMANDS_NOTE) != digest:
                with translated():
                    await self.sync()
                await notes.write_note(COMMANDS_NOTE, digest)
        except (ChatError, StorageUnavailable) as error:
            log.warning("the slash commands can't be registered; trying again at the next start", **facts(error))


def _check_texts(data: Any) -> None:
    """Raises for an option that should be text and isn't: discord.py hands it on as it is."""
    for option in data.get("options") or ():
        _check_texts(option)
        if option["type"] == _TEXT and not isinstance(option["value"], str):
            raise TypeError


async def explain(interaction: Interaction, error: Exception) -> None:
    """Tell who gave a command, or clicked, why nothing came of it."""
    if isinstance(error, BobbinError):
        log.warning("a command is refused", **facts(error))
        sentence = error.sentence
    elif isinstance(error, app_commands.AppCommandError):  # discord.py's own: what was sent fits none of ours
        log.warning("a command comes that Discord remembers from another version")
        sentence = say(OTHER_COMMAND)
    elif isinstance(error, discord.NotFound) and error.code == UNKNOWN_INTERACTION:
        log.warning("a command is answered too late: Discord waits for three seconds")
        return
    elif isinstance(error, discord.HTTPException) and error.code == ALREADY_ANSWERED:
        log.info("a command or click comes twice, and was answered before")
        return
    else:
        reference = secrets.token_hex(4)
        log.error("a command fails unexpectedly", reference=reference, exc_info=error)
        sentence = say(
            "Something went wrong with this command. Please try again. (Reference: `{reference}`)", reference=reference
        )
    try:
        with translated():
            await tell(interaction, sentence, ephemeral=True)
    except ChatError as trouble:
        log.warning("nobody can be told that a command failed", **facts(trouble))


async def _suggest_nothing(interaction: Interaction) -> None:
    log.info("suggestions are wanted for a command that Discord remembers from another version")
    try:
        with overlooking(), translated():
            await interaction.response.autocomplete([])
    except ChatError as trouble:
        log.info("Discord can't be told that there are no suggestions", **facts(trouble))


def check_may_change(interaction: Interaction) -> None:
    """Raises NotAllowed unless who gave it manages the channel."""
    if not is_manager(interaction):
        raise NotAllowed(as_slashes(say(_MAY_NOT)))


def is_manager(interaction: Interaction) -> bool:
    """Does who gave it manage the channel? Everybody does their direct messages."""
    return interaction.guild_id is None or interaction.permissions.manage_channels


async def tell(interaction: Interaction, text: str, *, ephemeral: bool) -> None:
    for page in pages(text):
        with overlooking():
            if interaction.response.is_done():
                await interaction.followup.send(page, ephemeral=ephemeral, suppress_embeds=True)
            else:
                await interaction.response.send_message(page, ephemeral=ephemeral, suppress_embeds=True)
