"""Slash commands (ask, presets, retry, stop, reset, help) and the entries in the menu of a message."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import app_commands

from bots.discord import limits
from bots.discord.carried import files_of
from bots.discord.errors import ALREADY_ANSWERED, UNKNOWN_INTERACTION, overlooking, translated
from bots.discord.events import Asking, is_in_channel, thread_of_command
from bots.discord.ids import NAME
from bots.discord.languages import SLASH, Languages, Translator, language_of
from bots.discord.markdown import pages
from bots.discord.unreadable import skipped
from bots.listening.router import recorded_within
from bots.text.cut import utf16
from core.commands import HELP, Command, Verb, switch
from core.errors import BobbinError, ChatError, NotAllowed, Refused, StorageUnavailable, UnknownPreset, facts
from core.language import marked, marked_lines, said_in, say, say_lines, speaking
from core.permission import TRIED_WITHIN
from core.preset import Follow, Preset

if TYPE_CHECKING:
    from bots.kit import Notes
    from core.metrics import Metrics
    from core.relay import Relay

Interaction = discord.Interaction[discord.Client]
Ask = Callable[[Interaction, Asking], Awaitable[None]]
Pick = Callable[[Interaction, discord.Message], Awaitable[None]]

ABOUT, FROM_HERE = "Ask Bobbin about this message", "Summarise from here"
COMMANDS_NOTE = "discord/commands"
_MORE_HELP = marked_lines("""\
- `/ask`: ask here, without opening a thread; reply to my answer to go on. With `{private}`, only you see it, until you \
press Share
- Apps → {about}, in the menu of a message: ask about what somebody wrote
- Apps → {from_here}: what was said since that message, for you alone

In a channel, `/retry` and `/reset` mean what you yourself asked there last.""")
_MAY_NOT_SWITCH = marked(
    "Only the person who started a thread, or people who can manage the channel, can switch its model. `/model` shows which "
    "one answers."
)
_MAY_NOT = marked("Only people who can manage this channel can change its preset. `/preset show` shows it.")
_NOTHING_TO_SET = marked("Pick at least one: a preset, a model, instructions or what I follow.")
_FOLLOW = {
    Follow.MENTION: "Nothing: mention me each time",
    Follow.THREAD: "What comes next in a thread that I was called into",
    Follow.CHANNEL: "Everything in this channel",
}

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
        ask: Ask,
        about: Pick,
        from_here: Pick,
        recorded_within: float,
        user_install: bool,
    ) -> None:
        """*ask* takes a question, *about* and *from_here* the message whose menu was used; *own_task* is called inside of every task in which a command runs.

        *heard* is told who gives each. *user_install*: may people add the bot to their own account?

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
        _add_ask(self, relay, ask, anywhere=user_install)
        _add_menus(self, about, from_here, anywhere=user_install)
        _add_presets(self, relay)
        _add_model(self, relay)
        _add_others(self)

    async def obey(self, interaction: Interaction, command: Command, *, ephemeral: bool) -> None:
        by, occasion = str(interaction.user.id), f"{NAME}/{interaction.id}"

        async def manages() -> bool:
            return is_manager(interaction)

        async def may_change() -> None:
            if not is_manager(interaction):
                raise NotAllowed(_as_slashes(say(_MAY_NOT_SWITCH if command.switches_model else _MAY_NOT)))

        thread, own, seconds = thread_of_command(interaction), is_in_channel(interaction), self._recorded_within
        if self._relay.permission.is_to_try(command):
            with overlooking(), translated():
                await interaction.response.defer(thinking=True)
            seconds += TRIED_WITHIN
        async with recorded_within(seconds):
            told = await self._relay.obey(
                command, thread, by, occasion=occasion, may_change=may_change, manages=manages, own=own
            )
        await tell(interaction, told.sentence, ephemeral=ephemeral or not told.is_done)

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
        log.warning("a command is one that Discord remembers from another version")
        sentence = say(OTHER_COMMAND)
    elif isinstance(error, discord.NotFound) and error.code == UNKNOWN_INTERACTION:
        log.warning("a command is answered too late: Discord waits for three seconds")
        return
    elif isinstance(error, discord.HTTPException) and error.code == ALREADY_ANSWERED:
        log.info("a command or click comes twice, and was answered before")
        return
    else:
        reference = secrets.token_hex(4)
        log.error("a command fails in a way that nobody thought of", reference=reference, exc_info=error)
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


# Where the bot itself isn't, for those who have added it to their account:
# https://discord.com/developers/docs/resources/application#installation-context
_ANYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
_BY_ANYBODY = app_commands.AppInstallationType(guild=True, user=True)


def _add_ask(tree: Tree, relay: Relay, take: Ask, *, anywhere: bool) -> None:
    @app_commands.command(description="Ask a question")
    @app_commands.describe(
        question="What would you like to know?",
        file="A file to read",
        file2="Another file",
        file3="And another",
        preset="One of the presets of this deployment, for this question alone",
        private="Show the answer to you alone? You can share it afterwards",
    )
    async def ask(  # noqa: PLR0917  # by Discord's options
        interaction: Interaction,
        question: str,
        file: discord.Attachment | None = None,
        file2: discord.Attachment | None = None,
        file3: discord.Attachment | None = None,
        preset: str | None = None,
        private: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        if preset and preset not in relay.preset_names:
            raise UnknownPreset(preset, relay.preset_names)
        files = tuple(files_of(one for one in (file, file2, file3) if one))
        await take(interaction, Asking(question, files, preset=preset or "", is_private=private))

    @ask.autocomplete("preset")
    async def names(_interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return _fitting(relay.preset_names, typed)

    if anywhere:
        _offer_anywhere(ask)
    tree.add_command(ask)


def _add_menus(tree: Tree, about: Pick, from_here: Pick, *, anywhere: bool) -> None:
    """https://discord.com/developers/docs/interactions/application-commands#message-commands"""

    async def ask_about(interaction: Interaction, message: discord.Message) -> None:
        await about(interaction, message)

    async def summarise(interaction: Interaction, message: discord.Message) -> None:
        await from_here(interaction, message)

    asking = app_commands.ContextMenu(name=ABOUT, callback=ask_about)
    if anywhere:
        _offer_anywhere(asking)
    tree.add_command(asking)
    # It reads the channel, so the bot has to be there.
    in_servers = app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False)
    reading = app_commands.ContextMenu(name=FROM_HERE, callback=summarise)
    reading.allowed_contexts = in_servers
    tree.add_command(reading)


def _offer_anywhere(command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu) -> None:
    command.allowed_contexts, command.allowed_installs = _ANYWHERE, _BY_ANYBODY


def _fitting(presets: list[str], typed: str) -> list[app_commands.Choice[str]]:
    return _choices([name for name in presets if typed.lower() in name.lower()])


def _choices(names: Iterable[str]) -> list[app_commands.Choice[str]]:
    fitting = [name for name in names if utf16(name) <= limits.CHOICE]
    return [app_commands.Choice(name=name, value=name) for name in fitting[: limits.CHOICES]]


def _add_model(tree: Tree, relay: Relay) -> None:
    @app_commands.command(description="Which model answers here, or switch this thread to another")
    @app_commands.describe(name="Any model of the AI service; “default” goes back to what is set around it")
    async def model(interaction: Interaction, name: str | None = None) -> None:
        command = switch(name or "")
        await tree.obey(interaction, command, ephemeral=not command.switches_model)

    @model.autocomplete("name")
    async def models(_interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        back = ["default"] if "default".startswith(typed.strip().lower()) else []
        return _choices([*back, *relay.models.matching(typed, limits.CHOICES)])

    tree.add_command(model)


def _add_presets(tree: Tree, relay: Relay) -> None:
    group = app_commands.Group(name="preset", description="How I answer in this channel")

    @group.command(description="How I answer here, and where that is set")
    async def show(interaction: Interaction) -> None:
        await tree.obey(interaction, Command(Verb.SHOW_PRESET), ephemeral=True)

    @group.command(name="set", description="Change how I answer in this channel")
    @app_commands.describe(
        name="One of the presets of this deployment",
        model="The model that answers",
        instructions="Instructions for every answer",
        follow="What I hear without a mention",
    )
    @app_commands.choices(follow=[app_commands.Choice(name=text, value=mode.value) for mode, text in _FOLLOW.items()])
    async def set_(
        interaction: Interaction,
        name: str | None = None,
        model: str | None = None,
        instructions: str | None = None,
        follow: str | None = None,
    ) -> None:
        _check_may_change(interaction)
        mode = Follow(follow) if follow in tuple(Follow) else None
        wish = Preset(model=model, instructions=instructions, name=name, follow=mode)
        if wish.is_open:
            raise Refused(say(_NOTHING_TO_SET))
        await tree.obey(interaction, Command(Verb.SET_PRESET, wish), ephemeral=False)

    @set_.autocomplete("model")
    async def models(_interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return _choices(relay.models.matching(typed, limits.CHOICES))

    @set_.autocomplete("name")
    async def names(_interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return _fitting(relay.preset_names, typed)

    @group.command(name="reset", description="Go back to the default settings")
    async def reset_(interaction: Interaction) -> None:
        _check_may_change(interaction)
        await tree.obey(interaction, Command(Verb.CLEAR_PRESET), ephemeral=False)

    tree.add_command(group)


def _add_others(tree: Tree) -> None:
    @tree.command(name="retry", description="Answer the last question again; in a channel, your own")
    async def retry_(interaction: Interaction) -> None:
        await tree.obey(interaction, Command(Verb.RETRY), ephemeral=True)

    @tree.command(name="stop", description="Stop the answer that I'm writing; in a channel, to your own last question")
    async def stop_(interaction: Interaction) -> None:
        await tree.obey(interaction, Command(Verb.STOP), ephemeral=True)

    @tree.command(name="reset", description="Forget this conversation and start fresh; in a channel, your own last one")
    async def reset_(interaction: Interaction) -> None:
        await tree.obey(interaction, Command(Verb.RESET), ephemeral=False)

    @tree.command(name="mute", description="Be quiet in this thread, and stop answering, until you unmute me")
    async def mute_(interaction: Interaction) -> None:
        await tree.obey(interaction, Command(Verb.MUTE), ephemeral=False)

    @tree.command(name="unmute", description="Listen in this thread again")
    async def unmute_(interaction: Interaction) -> None:
        await tree.obey(interaction, Command(Verb.UNMUTE), ephemeral=False)

    @tree.command(name="leave", description="Stop following this thread, until you mention me again")
    async def leave_(interaction: Interaction) -> None:
        await tree.obey(interaction, Command(Verb.LEAVE), ephemeral=False)

    @tree.command(name="help", description="What I can do")
    async def help_(interaction: Interaction) -> None:
        await tell(interaction, help_text(), ephemeral=True)


def help_text() -> str:
    """Return what the commands are, as they are called in the language that is spoken."""
    of_words = re.sub(
        r"(?<=preset set )(?:(model|instructions|follow) )?(?=[A-Z])|(?<=`model )(?=NAME|reset)",
        lambda field: f"{field[1] or 'name'}:",
        say_lines(HELP),
    )
    names = {"about": say(ABOUT), "from_here": say(FROM_HERE), "private": said_in(SLASH, "private")}
    more = say_lines(_MORE_HELP, **names)
    of_slashes = re.sub(r"(?:(?<=^- )|(?=`model\b))`", "`/", of_words, flags=re.MULTILINE)
    return _as_slashes(f"{of_slashes}\n{more}")


def _as_slashes(text: str) -> str:
    """Return *text* with the names that its commands have in the language that is spoken."""

    def named(command: re.Match[str]) -> str:
        return "`/" + " ".join(said_in(SLASH, name) for name in command[1].split())

    return re.sub(r"`/([a-z]+(?: [a-z]+)*)", named, text)


def _check_may_change(interaction: Interaction) -> None:
    if not is_manager(interaction):
        raise NotAllowed(_as_slashes(say(_MAY_NOT)))


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
