"""Bobbin as a program: the command line, what joins its parts, and a folder for each platform."""

__version__ = "0.1.0"  # the one place; pyproject.toml reads it from here
