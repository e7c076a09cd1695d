"""Translates Slack's error codes, a 429 among them, to what they mean for the turn that met them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.errors import (
    ChatBusy,
    ChatClosed,
    ChatError,
    ChatForbidden,
    ChatLimited,
    ChatRejected,
    ChatUnclear,
    PayloadRefused,
    RefusalUnclear,
    ThreadGone,
)
from core.waits import seconds_from

if TYPE_CHECKING:
    from slack_sdk.errors import SlackApiError

_RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "http_429"})
_SCOPES = re.compile(r"[\w:.,]+", re.ASCII)
_PLACE = re.compile(r"json-pointer:(/[\w/]+)", re.ASCII)
DETAIL_CHARACTERS = 500  # enough for a log
NO_CODE = "http_"  # how the code of a reply begins that holds none; its status follows

MESSAGE_GONE = "message_not_found"
# Codes are listed on each method's page, for instance https://docs.slack.dev/reference/methods/chat.postMessage#errors
_GONE = frozenset(
    {
        *("channel_not_found", MESSAGE_GONE, "thread_not_found", "is_archived", "is_inactive", "user_not_found"),
        *("cannot_reply_to_message", "restricted_action_thread_locked", "stopped_by_user"),
    }
)
# The installation is dead: whoever runs the bot has to install it again.
DEAD = frozenset(
    {
        *("invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed", "org_login_required"),
        "team_access_not_granted",
    }
)
# Somebody has to grant something, in the workspace or in the app's settings.
_FORBIDDEN = frozenset(
    {
        *("not_in_channel", "missing_scope", "not_allowed_token_type", "no_permission", "access_denied"),
        *("app_access_restricted", "restricted_action", "restricted_action_read_only_channel"),
        *("restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "ekm_access_denied"),
        *("messages_tab_disabled", "not_agent_app", "feature_disabled", "accesslimited", "message_limit_exceeded"),
    }
)
_BUSY = frozenset(
    {
        *("internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        *("team_added_to_org", "external_channel_migrating", "messaging_processing_failed", "update_failed"),
    }
)
# The same text may pass in plainer clothes.
_PAYLOAD = frozenset(
    {
        *("msg_too_long", "msg_blocks_too_long", "msg_blocks_too_many", "invalid_blocks", "invalid_blocks_format"),
        *("invalid_chunks", "markdown_text_conflict", "block_mismatch", "metadata_too_large", "invalid_arguments"),
    }
)
# This message can't be edited any more, whatever the thread: what is left to say needs another one.
MESSAGE_CLOSED = frozenset({"edit_window_closed", "cant_update_message", "message_not_owned_by_app"})
# A payload or an order of calls that Slack does not take; repeating it would not help.
_REJECTED = frozenset(
    {
        *MESSAGE_CLOSED,
        *("no_text", "too_many_attachments", "invalid_attachments", "invalid_metadata_format"),
        *("invalid_metadata_schema", "metadata_must_be_sent_from_app", "as_user_not_supported", "thread_ts_required"),
        *("cant_broadcast_message", "no_dual_broadcast_content_update", "cant_delete_message", "bad_timestamp"),
        *("streaming_state_conflict", "message_not_in_streaming_state", "missing_recipient_user_id"),
        *("missing_recipient_team_id", "channel_type_not_supported", "trigger_expired", "operation_timeout"),
        *("already_reacted", "no_reaction", "invalid_name", "too_many_emoji", "too_many_reactions"),
        *("invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data", "invalid_post_type"),
        *("missing_post_type", "missing_charset", "invalid_cursor", "unknown_method", "insecure_request"),
        *("method_deprecated", "deprecated_endpoint", "feature_not_enabled", "two_factor_setup_required"),
        *("enterprise_is_restricted", "team_not_found", "invalid_trigger_id", "expired_trigger_id"),
        *("exchanged_trigger_id", "view_too_large", "duplicate_external_id", "push_limit_reached"),
    }
)
_CODE = re.compile(r"[\w.-]{1,60}", re.ASCII)
# Rates are counted by the minute, https://docs.slack.dev/apis/web-api/rate-limits: told to wait longer, we ask again.
LONGEST_WAIT = 60.0  # seconds


def translate(code: object, detail: str = "", *, status: int = 200, retry_after: object = None) -> ChatError:
    """Return the error that Slack's *code* means. *status* is the HTTP status, *retry_after* the header's words.

    What is no code of Slack's is ChatUnclear, and so is what no table here names: nothing ends on a code that may mean
    anything, nor on a status that a proxy may have set.
    """
    named = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    kind = _kind(named, status)
    return kind(detail, code=named or f"{NO_CODE}{status}", retry_after=seconds_from(retry_after, LONGEST_WAIT))


def _kind(code: str, status: int) -> type[ChatError]:
    if status == 429:
        return ChatLimited
    if status >= 500:
        return ChatBusy
    if code.startswith("slack_connect_") and code.endswith("_blocked"):
        return ChatForbidden
    unknown = RefusalUnclear if code else ChatUnclear
    return next((kind for codes, kind in _MEANINGS if code in codes), unknown)


_MEANINGS: tuple[tuple[frozenset[str], type[ChatError]], ...] = (
    (_RATE_LIMITED, ChatLimited),
    (_BUSY, ChatBusy),
    (_GONE, ThreadGone),
    (DEAD, ChatClosed),
    (_FORBIDDEN, ChatForbidden),
    (_PAYLOAD, PayloadRefused),
    (_REJECTED, ChatRejected),
)


def unclear(detail: str, status: int = 200) -> ChatUnclear:
    """Return the error of an answer that nobody can read."""
    return ChatUnclear(detail, code=f"{NO_CODE}{status}")


def translated(error: SlackApiError) -> ChatError:
    """Return the error that a refusal means which the SDK has raised."""
    response = error.response
    data = getattr(response, "data", None)
    data = data if isinstance(data, dict) else {}
    # An answer that isn't JSON reaches us as aiohttp's own response, which spells it `status`.
    status: int = getattr(response, "status_code", 0) or getattr(response, "status", 200)
    headers = getattr(response, "headers", {})
    return translate(data.get("error"), detail_of(data), status=status, retry_after=headers.get("Retry-After"))


def detail_of(data: dict[str, Any]) -> str:
    """Return which scopes are lacking, and where in a payload something is wrong; the rest of what Slack says may quote it."""
    needed = data.get("needed")
    scopes = [f"needs {needed}"] if isinstance(needed, str) and _SCOPES.fullmatch(needed) else []
    about = data.get("response_metadata")
    messages = about.get("messages") if isinstance(about, dict) else None
    places = _PLACE.findall(str(messages)) if messages else []
    return "; ".join([*scopes, *places])[:DETAIL_CHARACTERS]
