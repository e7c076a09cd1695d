"""The emulated AI service, and the door to it."""

from tests.core.upstream.conftest import emulator, serve, token, upstream

__all__ = ["emulator", "serve", "token", "upstream"]
