"""Hears what is said without a mention where the bot follows, and judges it by the quiet rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import structlog

from bots.listening.courtesy import asks, is_courtesy
from bots.listening.quiet import Conduct, RepliesTo, Situation, decide, is_named, said_to
from core.attachment import Kind
from core.commands import Verb, given_in
from core.following import HALF_DEAF, WhyNot
from core.language import marked
from core.preset import Follow
from core.quote import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from bots.listening.events import Overheard, Said
    from bots.listening.mark import Scale
    from bots.listening.recent import Recent, Remark
    from core.following import Standing
    from core.relay import Relay

SETTLING = 1.0  # seconds between the end of an answer, as people see it, and its record
NEEDS_MENTION = marked("In this channel I only hear mentions: mention me, and I answer.")

log = structlog.get_logger(__name__)


class Judged(NamedTuple):
    """The verdict on something overheard: by default, nothing is done."""

    said: Said | None = None  # to be asked
    wants_thumb: bool = False
    wants_telling: bool = False  # that a mention is needed


class Follower:
    """Judges what is said without a mention in one chat."""

    def __init__(
        self, relay: Relay, recent: Recent, scale: Scale, names: Callable[[], Collection[str]], *, patience: float = 0.0
    ) -> None:
        """*names*: those by which people call the bot. *patience* as for `Relay.ask`."""
        self._relay = relay
        self._recent = recent
        self._scale = scale
        self._names = names
        self._patience = patience

    def may_be_asked(self, overheard: Overheard) -> bool:
        """May it be a question that was asked before, as far as is remembered?"""
        return not self._relay.following.was_never_called(overheard.said.question.thread)

    def is_uncalled(self, overheard: Overheard, standing: Standing | None) -> bool:
        """Was the bot never called where its *standing* is so, as far as is known?"""
        if standing:
            return standing.why_not is WhyNot.NEVER_CALLED
        return self._relay.following.was_never_called(overheard.said.question.thread)

    def judge(self, overheard: Overheard, standing: Standing) -> Judged:
        """Say what becomes of *overheard*, which is among what is remembered."""
        said = overheard.said
        names = self._names()
        if is_stop(said) and (newest := standing.talk.newest) and newest.spoke_at is None:
            return Judged(said)  # whether that is for who says it, the relay knows
        decision = decide(self._situation(overheard, standing, names))
        why_not = standing.why_not
        is_called_back = why_not in HALF_DEAF and self._is_addressed(overheard)
        if why_not and not is_called_back:
            log.debug("a message is not followed", why=why_not.value)
            newest = standing.talk.newest
            is_next = newest is not None and newest.asker == said.question.asker
            is_plain = decision.conduct is Conduct.ANSWER and (is_next or self._is_addressed(overheard))
            return Judged(wants_telling=why_not is WhyNot.OFF and is_plain)
        log.debug("a message is judged", conduct=decision.conduct.name, why=decision.reason)
        if decision.conduct is not Conduct.ANSWER:
            return Judged(wants_thumb=decision.conduct is Conduct.REACT)
        question = said.question
        return Judged(replace(said, question=replace(question, text=said_to(question.text, names))))

    async def standing(self, overheard: Overheard) -> Standing | None:
        """Say how the bot stands there; None where nothing is to be heard. Raises StorageUnavailable."""
        question, is_first = overheard.said.question, overheard.addressing.is_first
        standing = await self._relay.following.standing(
            question.thread,
            is_first=is_first,
            is_addressed=self._is_addressed(overheard),
            is_wanted=is_stop(overheard.said),
            patience=self._patience,
        )
        # What began a thread was said before the bot can have been called there. Read back later, it may have been since.
        began_before = is_first and standing is not None and standing.follow is not Follow.CHANNEL
        return None if began_before else standing

    def _is_addressed(self, overheard: Overheard) -> bool:
        is_reply = overheard.addressing.replies_to is RepliesTo.BOT
        return is_reply or is_named(overheard.said.question.text, self._names())

    def _situation(self, overheard: Overheard, standing: Standing, names: Collection[str]) -> Situation:
        said, talk = overheard.said, standing.talk
        question, newest = said.question, talk.newest
        remembered = self._recent.of(question.thread.id)
        before = [one for one in remembered if one.position < said.position]
        answered_at = self._answered_at(standing, remembered, said.position)
        since = [one for one in before if one.position > answered_at and not one.is_asked]
        others = [one for one in before if one.question.asker != question.asker]
        people = len({question.asker, *talk.askers, *(one.question.asker for one in others)})
        kinds = {one.kind for one in question.attachments}
        return Situation(
            question.text,
            overheard.addressing,
            has_files=bool(kinds - {Kind.STICKER}) or any(one.source is Source.FORWARD for one in question.quotes),
            is_gesture=kinds == {Kind.STICKER},
            is_from_asker=newest is None or newest.asker == question.asker,
            bot_asked=newest is not None and bool(newest.end) and asks(newest.end),
            others_since=any(_is_talk(one, question.asker) for one in since if people > 1),
            people=people,
            is_staying_out=standing.stance.has_left,
            our_names=names,
            their_names=_names_of(others),
        )

    def _answered_at(self, standing: Standing, remembered: Sequence[Remark], now: int) -> int:
        """Return the position up to which people spoke before the bot did; while it answers, that of the question."""
        newest = standing.talk.newest
        if newest is None:
            return 0
        asked = next((one.position for one in remembered if one.question.key == newest.key), None)
        if newest.spoke_at:
            # What was said before the question was said before its answer, however quickly that came.
            return max(self._scale.at(newest.spoke_at.timestamp() - SETTLING), asked or 0)
        # Of a question that came later, nobody knows what the bot had said by then; of one that isn't remembered, who spoke.
        return now if asked is None else asked if asked < now else 0


def is_stop(said: Said) -> bool:
    """Does it tell the bot to stop, if it is said to it?"""
    command = given_in(said.question)
    return command is not None and command.verb is Verb.STOP


def _is_talk(remark: Remark, asker: str) -> bool:
    """Was it said to somebody else than the bot: by others than *asker*, nods aside, or by *asker* to them?"""
    if remark.question.asker == asker:
        return remark.is_to_others
    return remark.is_to_others or not is_courtesy(remark.question.text)


def _names_of(remarks: Sequence[Remark]) -> frozenset[str]:
    names = {remark.question.asker_name for remark in remarks}
    return frozenset(names | {name.split()[0] for name in names if name.split()})
