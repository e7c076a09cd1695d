"""Translates Discord's refusals, a 429 among them, to what they mean for the turn that met them."""

from __future__ import annotations

import re
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import discord
import structlog

from core.errors import (
    ChatBusy,
    ChatClosed,
    ChatError,
    ChatForbidden,
    ChatLimited,
    ChatRejected,
    ChatUnclear,
    ThreadGone,
)
from core.waits import seconds_from

if TYPE_CHECKING:
    from collections.abc import Iterator

# All codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060  # an interaction
THREAD_EXISTS = 160004
ARCHIVED = 50083
TOKEN_GONE = frozenset({10008, 10015, UNKNOWN_INTERACTION, 50027})  # of an interaction: never acknowledged, or expired

_GONE = frozenset(
    {10003, 10004, 10007, UNKNOWN_MESSAGE, 10013, 10015, UNKNOWN_INTERACTION, 50027, 50033, ARCHIVED, 160005}
)
_FORBIDDEN = frozenset({20009, 40333, 50001, 50007, 50009, 50013, 50278, 160002, 200000, 200001, 240000, 400001})
_CLOSED = frozenset({50014})
_BUSY = frozenset({20028, 20029, 30046, 40003, 40004, 40006, 110000, 130000})
_REJECTED = frozenset({40005, 40060, 40094, 50005, 50006, 50024, 50035, 50045, THREAD_EXISTS, 160006})

# 30046, too many edits of a message older than an hour: no rate is published, so try rarely.
OLD_EDITS = 30046
OLD_EDITS_PAUSE = 600.0  # seconds
DETAIL_CHARACTERS = 500  # enough for a log
DEEPEST = 10  # steps into a payload
_NAME = re.compile(r"\w{1,60}", re.ASCII)

NETWORK = (OSError, aiohttp.ClientError)

log = structlog.get_logger(__name__)

# discord.py names what is wrong with an answer by whatever it stumbles over, in these places, which do nothing else.
_READERS = frozenset(
    reader.__code__
    for reader in (
        discord.http.HTTPClient.request,
        discord.webhook.async_.AsyncWebhookAdapter.request,
        discord.Webhook._create_message,  # noqa: SLF001
        discord.Message.__init__,
        discord.Thread.__init__,
        discord.Client.fetch_channel,
        discord.Client.create_dm,
        discord.InteractionCallbackResponse.__init__,
        discord.app_commands.CommandTree.sync,
    )
)
_STUMBLES = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
UNREADABLE = "unreadable"

# Limits on messages last seconds, https://discord.com/developers/docs/topics/rate-limits: told longer, we ask again.
LONGEST_WAIT = 60.0  # seconds


@contextmanager
def translated() -> Iterator[None]:
    """Raise a ChatError for whatever discord.py raises in the body."""
    try:
        yield
    except (discord.DiscordException, *NETWORK) as error:
        raise translate(error) from error
    except _STUMBLES as error:
        if not is_misread(error):
            raise
        # Without its cause, which quotes what came.
        raise ChatUnclear(type(error).__name__, code=UNREADABLE) from None


@contextmanager
def overlooking() -> Iterator[None]:
    """Go on when the answer to the call in the body can't be read: it was taken, or nobody can tell."""
    try:
        yield
    except _STUMBLES as error:
        if not is_misread(error):
            raise
        log.warning("Discord answers what can't be understood; going on", kind=type(error).__name__)


def is_misread(error: Exception) -> bool:
    """Did discord.py stumble over an answer that isn't what it takes it for? A fault of ours is none of that."""
    frames = traceback.walk_tb(error.__traceback__)
    return isinstance(error, _STUMBLES) and any(frame.f_code in _READERS for frame, _ in frames)


def translate(error: Exception) -> ChatError:
    match error:
        case discord.LoginFailure():
            return ChatClosed("the token is not accepted", code="401")
        case discord.RateLimited():
            return ChatLimited("rate limited", code="429", retry_after=seconds_from(error.retry_after, LONGEST_WAIT))
        case discord.HTTPException():
            return _translated(error)
        case discord.InvalidData():
            return ChatUnclear(type(error).__name__, code=UNREADABLE)
        case discord.DiscordException():
            return ChatRejected(code=type(error).__name__)
        case _:
            return ChatBusy(type(error).__name__, code="unreachable")


def _translated(error: discord.HTTPException) -> ChatError:
    headers, is_json = error.response.headers, is_discords(error)
    code = error.code if is_json and type(error.code) is int else 0
    told = OLD_EDITS_PAUSE if code == OLD_EDITS else headers.get("Retry-After")
    # A proxy's page is nothing for the log, and what Discord says may quote what was sent.
    told_of = _places(error._errors) if is_json else [headers.get("Content-Type", "")]  # noqa: SLF001  # nowhere else
    detail = "; ".join(told_of)[:DETAIL_CHARACTERS]
    kind = meaning(code, error.status, is_json=is_json)
    wait = seconds_from(told, max(LONGEST_WAIT, OLD_EDITS_PAUSE if code == OLD_EDITS else 0.0))
    return kind(detail, code=str(code or error.status), retry_after=wait)


def _places(errors: object, path: str = "") -> Iterator[str]:
    """Tell where in a payload something is wrong, and by which code.

    https://discord.com/developers/docs/reference#error-messages
    """
    if not isinstance(errors, dict):
        return
    for name, inner in errors.items():
        if name == "_errors" and isinstance(inner, list):
            codes = [str(one.get("code")) for one in inner if isinstance(one, dict)]
            yield f"{path or 'all'}: {' '.join(code for code in codes if _NAME.fullmatch(code))}"
        elif _NAME.fullmatch(str(name)) and path.count(".") < DEEPEST:
            yield from _places(inner, f"{path}.{name}" if path else name)


def is_discords(error: discord.HTTPException) -> bool:
    """Did Discord itself refuse? A page comes from something in between, and so does what discord.py reads no object from."""
    return "_errors" in vars(error)


def meaning(code: int, status: int, *, is_json: bool = True) -> type[ChatError]:
    """Say what Discord's *code* means. Nothing ends on one that no table here names.

    Nor on a *status* without one, which a proxy may have set; a refused token alone has no code, but comes as JSON.
    """
    for codes, kind in (
        (_GONE, ThreadGone),
        (_FORBIDDEN, ChatForbidden),
        (_CLOSED, ChatClosed),
        (_BUSY, ChatBusy),
        (_REJECTED, ChatRejected),
    ):
        if code in codes:
            return kind
    if status == 429:
        return ChatLimited
    if status >= 500:
        return ChatBusy
    return ChatClosed if status == 401 and is_json else ChatUnclear
