"""Finds the platforms: every folder beside this file that has settings of its own."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from core.settings import Section, Settings, load

if TYPE_CHECKING:
    from bots.kit import Kit
    from core.chat import Chat


class Platform(Protocol):
    """What a platform's package offers. Its `settings` module offers a `Section` with `is_configured`."""

    def build(self, section: Section, kit: Kit) -> Chat:
        """Make its chat; nothing is connected yet."""

    async def check(self, section: Section) -> str:
        """Try the tokens; return what was found. Raises SetupError that says what to do."""

    def manifest(self, section: Section) -> str:
        """Return what an operator gives the platform to set Bobbin up: a manifest, a link."""


def names() -> list[str]:
    """The platforms that this version knows."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/settings.py"))


def settings(**given: object) -> Settings:
    """Read the settings, every platform's among them. *given* wins over file and environment. Raises SetupError."""
    return load({name: import_module(f"bots.{name}.settings").Section for name in names()}, **given)


def configured(settings: Settings) -> list[str]:
    """The platforms that have tokens."""
    return [name for name in names() if settings.section(name).is_configured]


def platform(name: str) -> Platform:
    """Import a platform's package, its library with it."""
    return cast("Platform", import_module(f"bots.{name}"))
