"""Sets Bolt up: which listener hears what, and when Slack is to bring something again."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bots.listening.unreadable import MALFORMED
from bots.reply.page import Wish
from bots.slack.buttons import FEEDBACK
from bots.slack.finished import WHY
from bots.slack.form import ABOUT_MESSAGE, ANYWHERE, FORM
from bots.slack.unreadable import kind_of, skipped
from core.errors import ChatError, StorageUnavailable, facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.context.ack.async_ack import AsyncAck
    from slack_bolt.request.async_request import AsyncBoltRequest

    from bots.slack.api import Api, Identity
    from bots.slack.listeners import Listeners
    from bots.slack.settings import Section
    from core.metrics import Metrics


_ANY = re.compile(".*")

log = structlog.get_logger(__name__)


class _App(AsyncApp):
    """Bolt, which itself fails on an event that is no object: before any listener, and before its error handler."""

    def __init__(self, metrics: Metrics, **options: Any) -> None:
        super().__init__(**options)
        self._metrics = metrics
        self.error(self._report)

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        try:
            return await super().async_dispatch(req)
        except Exception as error:
            if "event" not in req.body or isinstance(req.body["event"], dict):
                raise
            skipped(kind_of(req.body), error, self._metrics)
            return BoltResponse(status=200)

    async def _report(self, error: Exception, body: Mapping[str, Any]) -> BoltResponse:
        """Log what went wrong in a listener; the answer makes Slack deliver the same once more, if that can help."""
        is_event = "event" in body
        if isinstance(error, (BoltUnhandledRequestError, *MALFORMED)):
            # Slack's shape is none that Bolt, or we, know: it would fail every time.
            skipped(kind_of(body), error, self._metrics)
            return BoltResponse(status=200 if is_event else 404)
        if isinstance(error, StorageUnavailable):
            log.warning("what Slack sent can't be recorded; not acknowledging it, so that it comes again")
        elif isinstance(error, ChatError):
            log.warning("Slack refuses something while what it sent is taken", **facts(error))
        else:
            log.error(
                "taking what Slack sent fails unexpectedly",
                reference=secrets.token_hex(4),
                exc_info=error,
            )
        return BoltResponse(status=503)


def make_app(listeners: Listeners, section: Section, api: Api, identity: Identity, metrics: Metrics) -> AsyncApp:
    """Return Bolt, which acknowledges only after a listener returned (`process_before_response`)."""
    token = section.bot_token.get_secret_value()

    # With an `authorize` of ours Bolt looks for no installations, whatever SLACK_… variables are set.
    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=token,
            bot_id=identity.bot,
            bot_user_id=identity.user,
        )

    app = _App(
        metrics,
        name="bobbin",
        client=api.client_without_token(),
        signing_secret=section.signing_secret.get_secret_value(),
        authorize=authorize,
        request_verification_enabled=False,  # done before; Bolt would write the whole body of a wrong one to the log
        process_before_response=True,
        raise_error_for_unhandled_request=True,
    )
    app.event("message")(listeners.take_message)
    app.event("app_mention")(listeners.take_message)
    app.event("reaction_added")(listeners.take_reaction)
    app.event("reaction_removed")(listeners.take_reaction)
    app.event("app_home_opened")(listeners.take_opening)
    app.event("agent_session_stopped")(listeners.take_stop)
    app.command(_ANY)(listeners.take_command)
    for action in (*(wish.value for wish in Wish), FEEDBACK):
        app.action(action)(listeners.take_click)
    for shortcut in (ABOUT_MESSAGE, ANYWHERE):
        app.shortcut(shortcut)(listeners.take_shortcut)
    app.view(FORM)(listeners.take_form)
    app.view(WHY)(listeners.take_comment)
    # Whatever else the app's settings make Slack send: unacknowledged it would come again and again.
    for others in (app.event, app.action, app.shortcut, app.view):
        others(_ANY)(_take_nothing)
    return app


async def _take_nothing(ack: AsyncAck) -> None:
    await ack()
