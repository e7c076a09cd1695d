"""The methods of the Web API, one file for each family, one table for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.slack.methods import assistant, chat, conversations, files, identity, reactions, sessions, streams, views

if TYPE_CHECKING:
    from sandbox.slack.platform import Method

METHODS: dict[str, Method] = {
    **identity.METHODS,
    **chat.METHODS,
    **streams.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **views.METHODS,
    **assistant.METHODS,
    **sessions.METHODS,
}
