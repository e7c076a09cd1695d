"""Remembers which language people in Discord speak, by the locales that Discord tells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from core.bounded import Bounded
from core.language import ENGLISH, of_locale, said_in, say, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_KNOWN = 10_000  # people
# Of other servers it is always English: https://discord.com/developers/docs/resources/guild#guild-object
_CHOOSES_LOCALE = "COMMUNITY"
SLASH = "slash"  # the context of the names of commands and options, which are single words in lower case
_Where = app_commands.TranslationContextLocation
# What stands for the value of an option, in sentences that name a command by the words that give it elsewhere.
_VALUE = re.compile(
    r"(?<=preset set )(?:(model|instructions|follow) )?(?=[A-Z]|(?<=follow )[a-z])|(?<=`model )(?=NAME|reset)"
)
# Those that are no words here: who writes them asks them.
_WORDS = re.compile(r"`(?=model name:|preset set |(?:preset show|preset reset|retry)`)")
_NAMES = (_Where.command_name, _Where.group_name, _Where.parameter_name)


class Languages:
    """Of people, as far as their commands and clicks have told: a message tells nothing of its author's."""

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._known: Bounded[int, str] = Bounded(most)

    def heard(self, interaction: discord.Interaction) -> str:
        """Take note of the language of who gives a command, or clicks, and return it."""
        language = self._known[interaction.user.id] = language_of(interaction)
        return language

    def of(self, person: int, guild: discord.Guild | None) -> str:
        """Return the language of *person*, else that which *guild* has chosen; empty if neither is known."""
        return self._known.get(person, "") or of_guild(guild)


def language_of(interaction: discord.Interaction) -> str:
    """https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-interaction-structure"""
    return of_locale(str(interaction.locale))


def of_guild(guild: discord.Guild | None) -> str:
    return of_locale(str(guild.preferred_locale)) if guild and _CHOOSES_LOCALE in guild.features else ""


class Translator(app_commands.Translator):
    """How commands are called and described in people's own language; at most so much as Discord allows.

    https://discord.com/developers/docs/interactions/application-commands#localization
    """

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        language = of_locale(str(locale))
        if language in ("", ENGLISH):
            return None
        is_name = context.location in _NAMES and not isinstance(context.data, app_commands.ContextMenu)
        find: Callable[[str], str] = _slash if is_name else say
        with speaking(language):
            said = find(string.message)
        return None if said == string.message else said


def _slash(name: str) -> str:
    return said_in(SLASH, name)


def in_slashes(text: str) -> str:
    """Return a sentence of ours with the commands in it as they are given in Discord."""
    return as_slashes(_WORDS.sub("`/", with_options(text)))


def with_options(text: str) -> str:
    """Return *text* with what stands for the values of options beside the names of those."""
    return _VALUE.sub(lambda option: f"{option[1] or 'name'}:", text)


def as_slashes(text: str) -> str:
    """Return *text* with the names that its commands have in the language that is spoken."""

    def named(command: re.Match[str]) -> str:
        return "`/" + " ".join(said_in(SLASH, name) for name in command[1].split())

    return re.sub(r"`/([a-z]+(?: [a-z]+)*)", named, text)
