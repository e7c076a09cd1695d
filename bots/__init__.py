"""Bobbin as a program: the command line, the wiring, and a folder for each platform."""

from pathlib import Path

__version__ = "0.1.0"  # the one place; pyproject.toml reads it from here


def platforms_there() -> list[str]:
    """The platforms that this version knows: every folder here that has settings of its own."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/settings.py"))
