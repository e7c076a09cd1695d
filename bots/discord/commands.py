"""The slash commands, and the entries in a message's menu: how each is declared, and what it hands to core."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bots.discord import limits
from bots.discord.carried import files_of
from bots.discord.events import Asking
from bots.discord.languages import SLASH, as_slashes, with_options
from bots.discord.tree import Interaction, Tree, check_may_change, tell
from bots.text.cut import utf16
from core.commands import HELP, Command, Verb, switch
from core.errors import Refused, UnknownPreset
from core.language import marked, marked_lines, said_in, say, say_lines
from core.preset import Follow, Preset

if TYPE_CHECKING:
    from core.relay import Relay

Ask = Callable[[Interaction, Asking], Awaitable[None]]
Pick = Callable[[Interaction, discord.Message], Awaitable[None]]

ABOUT, FROM_HERE = "Ask Bobbin about this message", "Summarise from here"
_MORE_HELP = marked_lines("""\
- `/ask`: ask here, without opening a thread; reply to my answer to go on. With `{private}`, only you see it, until you \
press Share
- Apps → {about}, in the menu of a message: ask about what somebody wrote
- Apps → {from_here}: what was said since that message, for you alone

In a channel, `/retry` and `/reset` mean what you yourself asked there last.""")
_NOTHING_TO_SET = marked("Pick at least one: a preset, a model, instructions or what I follow.")
_FOLLOW = {
    Follow.MENTION: "Nothing: mention me each time",
    Follow.THREAD: "What comes next in a thread that I was called into",
    Follow.CHANNEL: "Everything in this channel",
}


def add_to(tree: Tree, relay: Relay, *, ask: Ask, about: Pick, from_here: Pick, user_install: bool) -> None:
    """Give *tree* all commands.

    *ask* takes a question, *about* and *from_here* the message whose menu was used. *user_install*: may people add the
    bot to their own account?
    """
    _add_ask(tree, relay, ask, anywhere=user_install)
    _add_menus(tree, about, from_here, anywhere=user_install)
    _add_presets(tree, relay)
    _add_model(tree, relay)
    _add_others(tree)


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
        check_may_change(interaction)
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
        check_may_change(interaction)
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
    names = {"about": say(ABOUT), "from_here": say(FROM_HERE), "private": said_in(SLASH, "private")}
    more = say_lines(_MORE_HELP, **names)
    of_slashes = re.sub(r"(?:(?<=^- )|(?=`model\b))`", "`/", with_options(say_lines(HELP)), flags=re.MULTILINE)
    return as_slashes(f"{of_slashes}\n{more}")
