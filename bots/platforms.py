"""Finds the platforms: every folder beside this file that has settings of its own."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import bots
from core.sections import Section
from core.settings import Settings, load, strays

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bots.finding import Finding
    from bots.kit import Kit
    from core.chat import Chat

SAMPLE = Path(__file__).with_name("bobbin.toml")  # explains every setting, and is read where no other file is


class Platform(Protocol):
    """A platform's package. Its `settings` module has a `Section` with `is_configured`."""

    def build(self, section: Section, kit: Kit) -> Chat:
        """Make its chat; nothing is connected yet."""

    def check(self, section: Section) -> AsyncGenerator[Finding, None]:
        """Try the tokens, and what they allow; yield what is found. Raises SetupError that says what to do."""

    def manifest(self, section: Section) -> str:
        """Return what an operator gives the platform to set Bobbin up: a manifest, a link."""


def names() -> list[str]:
    """The platforms that this version knows."""
    return bots.platforms_there()


def names_for_people() -> str:
    """The same in a sentence."""
    return " or ".join(name.title() for name in names())


def with_shards() -> list[str]:
    """The platforms whose connections can be shared out by shards."""
    return [name for name in names() if "shards" in _section(name).model_fields]


def settings(file: Path | None = None, /, **given: Any) -> Settings:
    """Read the settings, every platform's among them; see core.settings.load for which *file*.

    *given* wins over file and environment. Raises SetupError.
    """
    sections = {name: _section(name) for name in names()}
    return load(sections, file=file, sample=SAMPLE, **given)


def configured(settings: Settings) -> list[str]:
    """The platforms that have tokens."""
    return [name for name in names() if settings.section(name).is_configured]


def are_empty(settings: Settings) -> bool:
    """Is a platform's variable set, but empty?"""
    return any(settings.empty(name) for name in names())


def why_none(settings: Settings) -> list[str]:
    """Sentences on why no platform is configured, and what to set."""
    tokens = " or ".join(settings.secrets_of(name)[0] for name in names())
    tried = [sentence for name in names() for sentence in strays(settings, name)]
    return [f"no platform is configured, so nobody can ask: set {tokens}", *tried]


def _section(name: str) -> type[Section]:
    return cast("type[Section]", import_module(f"bots.{name}.settings").Section)


def platform(name: str) -> Platform:
    """Import a platform's package, its library with it."""
    return cast("Platform", import_module(f"bots.{name}"))
