"""Decides whether a command may be given, and with which model, before the transaction in which it is obeyed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from core.commands import Verb
from core.errors import NotAllowed
from core.obeying import is_own_switch, refusal
from core.preset import LONGEST_MODEL

if TYPE_CHECKING:
    from core.aftermath import Manages
    from core.asking.trial import Trial
    from core.commands import Command
    from core.models import Models
    from core.storage.ledger import Ledger
    from core.thread import Thread

# Raises Refused, with what to tell, if who gave a command may not change presets.
MayChange: TypeAlias = Callable[[], Awaitable[None]]

# For a model that nobody has heard of to answer. Whoever waits for us longer brings what they said again, to be told then.
TRIED_WITHIN = 10.0  # seconds


class Permission:
    def __init__(self, ledger: Ledger, models: Models, trial: Trial | None) -> None:
        """*models* are those that are set without asking; others are tried first by *trial*, if there is one."""
        self._ledger = ledger
        self._models = models
        self._trial = trial

    async def permitted(
        self,
        command: Command,
        thread: Thread,
        by: str,
        may_change: MayChange | None,
        manages: Manages | None,
        *,
        own: bool = False,
    ) -> Command:
        """Return *command* as *by* may give it. Raises Refused if not at all; StorageUnavailable."""
        is_own = command.switches_model and await self._ledger.look(
            lambda deeds: is_own_switch(command, thread, by, deeds)
        )
        if may_change and (command.changes_preset or (command.switches_model and not is_own)):
            await may_change()
        if command.verb not in (Verb.RESET, Verb.RETRY, Verb.STOP):
            return command
        refused = await self._ledger.look(lambda deeds: refusal(command, thread, by, deeds, own=own))
        if refused and not (manages and await manages()):
            raise NotAllowed(refused)
        return replace(command, whosever=bool(refused))

    async def tried(self, command: Command, thread: Thread, by: str, within: float) -> Command:
        """Return *command* with its model as the service spells it, once it is known to be there. Raises Refused.

        Before the transaction in which it is obeyed, which must not wait for a service. Should the process die in between,
        nothing was recorded: handed in again, the command is tried again, and still obeyed once.
        """
        name = command.wish.model
        if name is None:
            return command
        if self._trial and self.is_to_try(command):
            await self._trial.check(
                name, thread=thread, asker=by, within=within, count=lambda: self._ledger.count(by, thread)
            )
        return command.naming(self._models.known(name) or name)

    def is_to_try(self, command: Command) -> bool:
        """Does obeying *command* take a question to the service, since it names a model that isn't known?"""
        name = command.wish.model
        return bool(self._trial and name and len(name) <= LONGEST_MODEL) and self._models.known(name or "") is None
