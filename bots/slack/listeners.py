"""The listeners that Bolt calls when something happens in Slack: each returns once that is recorded, then it is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import structlog

from bots.listening.catch_up import CatchUp
from bots.listening.events import Overheard, Reacted, Said
from bots.listening.mark import Mark
from bots.listening.router import Router, recorded_within
from bots.listening.unreadable import MALFORMED
from bots.reply.page import OF_FINISHED, Wish
from bots.reply.wanted import WAITING, instead
from bots.slack.askers import Askers, with_bots
from bots.slack.bolt import make_app
from bots.slack.buttons import Click, context, read_click, rows
from bots.slack.catch_up import OVERLAP, SEEN_NOTE, SlackReader
from bots.slack.commands import Commands
from bots.slack.events import check_command, message_in, read_event
from bots.slack.finished import Finished, read_comment
from bots.slack.form import WrongFormError, read_form
from bots.slack.ids import SCALE, is_ask, is_ts, key_of, position, thread_in
from bots.slack.indicator import SIGN, WAITS
from bots.slack.limits import escaped
from bots.slack.people import People
from bots.slack.reactions import Reaction, read_reaction
from bots.slack.requests import signature_of
from bots.slack.stops import read_stop
from bots.slack.twins import Twins
from bots.slack.unreadable import kind_of, skipped
from bots.slack.ways import Ways, soon
from core.errors import ChatError, StorageUnavailable, ThreadGone, facts
from core.language import say, speaking
from core.title import title_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping

    from slack_bolt.async_app import AsyncApp
    from slack_bolt.context.ack.async_ack import AsyncAck
    from slack_bolt.request.async_request import AsyncBoltRequest

    from bots.kit import Kit
    from bots.listening.events import Heard
    from bots.listening.recent import Recent
    from bots.reply.note import Note
    from bots.slack.api import Api, Identity
    from bots.slack.ids import Place
    from bots.slack.indicator import Indicator
    from bots.slack.naming import Naming
    from bots.slack.note import Where
    from bots.slack.pace import Pace
    from bots.slack.roots import Roots
    from bots.slack.sessions import Sessions
    from bots.slack.settings import Section
    from bots.slack.subscriptions import Subscriptions
    from bots.slack.times import Times
    from core.bounded import BoundedSet
    from core.relay import Relay
    from core.thread import PlaceId
    from core.turn import Accepted, Turn

THUMB = "+1"  # Slack's name for 👍

log = structlog.get_logger(__name__)


class Listeners:
    """The listeners of one connection."""

    def __init__(
        self,
        relay: Relay,
        section: Section,
        kit: Kit,
        *,
        api: Api,
        pace: Pace,
        identity: Identity,
        indicator: Indicator,
        naming: Naming,
        recent: Recent,
        told: BoundedSet[PlaceId],
        times: Times,
        subscriptions: Subscriptions,
        roots: Roots,
        sessions: Sessions,
    ) -> None:
        """*recent* remembers what is heard; *told* is to hold the channels of which we hear all that is said."""
        self._told = told
        self._hears_alone = kit.hears_alone
        self._section = section
        self._metrics = kit.vitals.metrics
        self._relay = relay
        self._api = api
        self._identity = identity
        self._indicator = indicator
        self._times = times
        self._twins = Twins(times.twin)
        self._people = People(api, identity.team)
        self.naming = naming
        self._in_order: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # what a channel brings
        self.askers = Askers(self._people, identity.team)
        self._bots = kit.bots
        self._tasks: asyncio.TaskGroup | None = None
        self._subscriptions = subscriptions
        self._pace = pace
        self._router = Router(
            relay,
            SCALE,
            hours=section.catch_up_hours,
            record=self._record,
            accepted=self._sign_of_life,
            refused=self._refuse,
            recent=recent,
            names=lambda: (identity.name,),
            thumb=self._thumb,
            tell=self._tell,
        )
        self.mark = Mark(kit.notes, SEEN_NOTE, SCALE, overlap=OVERLAP)
        self._roots = roots
        self._sessions = sessions
        self._ways = Ways(relay, self._router, api=api, pace=pace, identity=identity, roots=roots, naming=naming)
        self._finished = Finished(relay, api=api, people=self._people, ways=self._ways, tells_names=naming.tells)
        self._commands = Commands(relay, identity, self._people, self._ways, recorded_within=times.recorded_within)
        reader = SlackReader(api, pace, identity, self._metrics, naming=self.naming, bots=kit.bots, roots=roots)
        self.catch_up: CatchUp[Place] = CatchUp(reader, self._router, relay, self.mark, self._metrics)

    def app(self, tasks: asyncio.TaskGroup) -> AsyncApp:
        """Return Bolt, which brings us what happens. What there is to tell who clicked is told in one of *tasks*."""
        self._tasks = tasks
        return make_app(self, self._section, self._api, self._identity, self._metrics)

    async def take_command(self, ack: AsyncAck, command: dict[str, Any], request: AsyncBoltRequest) -> None:
        """Somebody gives a command."""
        check_command(command)
        with _fault_of_ours():
            await ack(**await self._commands.take(command, signature_of(request)))

    async def take_click(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Somebody presses a button."""
        click = read_click(body)
        with _fault_of_ours():
            await self._click(click)
            await ack()

    async def take_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Somebody opens a form."""
        user = body["user"]["id"]
        with speaking(await self._ways.language_of(user)):
            if problem := await self._ways.open_for_shortcut(body):
                self._later(self._ways.tell(user, problem))
        await ack()

    async def take_form(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Somebody sends one."""
        try:
            with speaking(await self._ways.language_of(body["user"]["id"])):
                filled = read_form(body)
                with _fault_of_ours():
                    await self._ways.submit(body, filled)
        except WrongFormError as wrong:
            await ack(response_action="errors", errors=wrong.errors)
        else:
            await ack()

    async def take_comment(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Somebody says why an answer was good or bad."""
        comment = read_comment(body)
        with _fault_of_ours(), speaking(self._api.language_of(comment.by)):
            told = await self._finished.comment(comment)
        if told:
            self._later(self._whisper(comment.channel, comment.by, comment.thread_ts, told))
        await ack()

    async def take_message(self, body: dict[str, Any]) -> None:
        """Take an event; one that can't be read is skipped. Raises StorageUnavailable: then it is not recorded."""
        try:
            self.askers.heard(body)
            body = with_bots(body, self._bots, self._identity.ids)
            heard = read_event(body, self._identity.user)
            at = body["event"].get("event_ts") or body["event"]["ts"]
        except MALFORMED as error:  # it would come again and again, and fail every time
            skipped(kind_of(body), error, self._metrics)
            return
        # Without these events, whose scopes an app may lack, nothing but mentions comes.
        if self._hears_alone and body["event"]["type"] == "message" and isinstance(heard, Said | Overheard):
            said = heard.said if isinstance(heard, Overheard) else heard
            self._told.add(said.question.thread.channel)
        self._subscriptions.heard(body["event"])
        with _fault_of_ours(), self.catch_up.hearing(position(at)) if is_ts(at) else contextlib.nullcontext():
            if not await self._twins.wait(body["event"]) and isinstance(heard, Said):
                body = await self._with_files(body, heard)
            if self._twins.is_known(body["event"]):
                return
            heard = await self._roots.settled(await self._named(body), message_in(body), self._identity.user)
            await self._router.hear_live(heard, self.catch_up.before)
        self._twins.recorded(body["event"], is_asked=isinstance(heard, Said))

    async def _with_files(self, body: dict[str, Any], said: Said) -> dict[str, Any]:
        """Look up the message of a mention, which may have files that the mention doesn't tell of.

        Unless another process, to which Slack brought that message, has recorded it, or there is no room for the call.
        """
        where, event = said.note.where, body["event"]
        if await self._relay.turn(said.question.key) or not self._pace.reads(where.thread_ts).try_take():
            return body
        message = await soon(self._api.message(where.channel, where.thread_ts, where.question_ts))
        files = message.get("files") if message else None
        return {**body, "event": {**event, "files": files}} if files else body

    async def _named(self, body: Mapping[str, Any]) -> Heard:
        """Read an event with the names of those whom it names: as soon as all that its channel brought before is read."""
        event = body["event"]
        message = event["message"] if event.get("subtype") == "message_changed" else event
        naming = asyncio.create_task(
            self.naming.read(lambda names: read_event(body, self._identity.user, names), message)
        )
        try:
            async with self._in_order.setdefault(str(event.get("channel")), asyncio.Lock()):
                return await naming
        finally:
            naming.cancel()

    async def take_reaction(self, body: dict[str, Any]) -> None:
        """As a message. Raises StorageUnavailable, and ChatError while Slack doesn't tell in which thread that is."""
        try:
            reaction = read_reaction(body, self._identity.team, self._identity.user)
        except MALFORMED as error:
            skipped(kind_of(body), error, self._metrics)
            return
        if reaction is None:
            return
        if reaction.wish:
            with _fault_of_ours():
                await self._stop(reaction, reaction.wish)
            return
        with _fault_of_ours(), contextlib.suppress(ThreadGone):  # then there is nothing to be quiet in
            self._pace.reads(reaction.ts).take()
            ts = await self._api.thread_of(reaction.channel, reaction.ts)
            thread = await self._roots.thread_of(reaction.team, reaction.channel, ts)
            if thread.is_direct and ts == reaction.ts and not is_ask(thread.id):  # it stands beside the threads
                thread = thread_in(reaction.team, reaction.channel)
            with speaking(self._api.language_of(reaction.user)):
                problem = await self._router.mute(
                    thread, reaction.user, is_muting=reaction.is_muting, occasion=reaction.occasion
                )
            if problem:
                self._later(self._whisper(reaction.channel, reaction.user, ts, escaped(problem)))

    async def take_opening(self, event: dict[str, Any]) -> None:
        """Somebody looks at the app's own place: https://docs.slack.dev/reference/events/app_home_opened"""
        channel, user = event.get("channel"), event.get("user")
        if event.get("tab") == "messages" and isinstance(channel, str):
            self._later(self._suggest(channel, str(user)))

    async def _suggest(self, channel: str, user: str) -> None:
        with speaking(await self._ways.language_of(user)):
            await self._sessions.suggest(channel, self._relay.preset_names)

    async def take_stop(self, body: dict[str, Any]) -> None:
        """Somebody has pressed Slack's own Stop button. Raises StorageUnavailable."""
        try:
            stopped = read_stop(body, self._identity.team)
        except MALFORMED as error:
            skipped(kind_of(body), error, self._metrics)
            return
        for reacted in stopped:
            with _fault_of_ours():
                await self._stop_answer(body["event"]["channel"], reacted)

    async def _stop(self, reaction: Reaction, wish: Wish) -> None:
        """Raises StorageUnavailable."""
        channel, user = reaction.channel, reaction.user
        reacted = Reacted(
            key_of(reaction.team, channel, reaction.ts),
            f'"{reaction.ts}"',
            thread_in(reaction.team, channel).id,
            by=user,
            wish=wish,
        )
        await self._stop_answer(channel, reacted)

    async def _stop_answer(self, channel: str, reacted: Reacted) -> None:
        """Raises StorageUnavailable."""
        with speaking(self._api.language_of(reacted.by)):
            problem = await self._router.react(reacted, lambda: self._people.manages(reacted.by, channel))
        if problem:
            self._later(self._whisper(channel, reacted.by, "", escaped(problem)))

    async def _thumb(self, said: Said) -> None:
        where = said.note.where
        with contextlib.suppress(ChatError):  # it would have been a nod, and no more
            await self._api.react(where.channel, where.question_ts, THUMB)

    async def _tell(self, said: Said, sentence: str) -> None:
        where = said.note.where
        await self._whisper(where.channel, said.question.asker, where.thread_ts, sentence)

    async def _record(self, said: Said) -> Accepted:
        """Record a question, or obey a command."""
        question = said.question
        return await self._relay.hear(
            question,
            said.note.write(),
            may_change=lambda: self._people.check_member(question.asker),
            manages=lambda: self._people.manages(question.asker, said.note.where.channel),
        )

    def _sign_of_life(self, turn: Turn, note: Note[Where]) -> None:
        where = note.where
        if where.has_sign and not turn.shown:
            self._indicator.on(where.channel, where.question_ts, WAITS if turn.waited else SIGN)
            if turn.question.thread.is_direct:
                self._sessions.begin(
                    (where.channel, where.thread_ts), title_of(turn.question.text), turn.question.asker
                )
        elif turn.waited:  # there is no message to put a mark on
            waiting = say(WAITING)
            more = {"blocks": [context(waiting), *rows([instead(turn)], turn)]}
            self._later(self._whisper(where.channel, turn.question.asker, where.thread_ts, waiting, **more))

    async def _click(self, click: Click | None) -> None:
        if click is None:
            log.warning("a button is clicked where it doesn't belong")
            return
        by, channel = click.by, click.channel

        async def manages() -> bool:
            return await self._people.manages(by, channel)

        # Somebody of whom Slack has told nothing yet is looked up, except for what is urgent.
        is_about_finished = click.wish in OF_FINISHED
        with speaking(await self._ways.language_of(by) if is_about_finished else self._api.language_of(by)):
            try:
                async with recorded_within(self._times.recorded_within):
                    if is_about_finished:
                        outcome = await self._finished.take(click)
                        self._later(self._finished.show(click, outcome))
                        return
                    is_to_share = click.wish is Wish.SHARE
                    problem = await (self._ways.share(click) if is_to_share else self._router.click(click, manages))
            except StorageUnavailable as unavailable:
                problem = unavailable.sentence
        if problem:
            self._later(self._whisper(click.channel, click.by, click.thread_ts, problem))

    async def _refuse(self, said: Said, sentence: str) -> None:
        """Tell it beside what was said, for the author alone; a thread that nobody began yet would be overlooked."""
        where, asker = said.note.where, said.question.asker
        thread_ts = "" if where.thread_ts == where.question_ts else where.thread_ts
        self._later(self._whisper(where.channel, asker, thread_ts, escaped(sentence)))

    def _later(self, tell: Coroutine[Any, Any, None]) -> None:
        """Do it beside what is acknowledged; not at all before there is a connection."""
        if self._tasks:
            self._tasks.create_task(tell)
        else:
            tell.close()

    async def _whisper(self, channel: str, user: str, thread_ts: str | None, sentence: str, **more: object) -> None:
        try:
            await self._api.whisper(channel=channel, user=user, thread_ts=thread_ts, text=sentence, **more)
        except ChatError as refusal:
            log.warning("somebody can't be told something in private", **facts(refusal))


@contextlib.contextmanager
def _fault_of_ours() -> Iterator[None]:
    """What came could be read, so that what the body raises is a fault of ours, which may pass."""
    try:
        yield
    except MALFORMED as fault:
        raise RuntimeError from fault
