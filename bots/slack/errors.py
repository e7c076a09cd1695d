"""Slack's error codes, translated to what they mean for the turn that met them."""

from __future__ import annotations

from core.errors import ChatBusy, ChatClosed, ChatError, ChatForbidden, ChatRejected, ThreadGone

# Codes are listed on each method's page, for instance https://docs.slack.dev/reference/methods/chat.postMessage#errors
_GONE = frozenset(
    {
        *("channel_not_found", "message_not_found", "thread_not_found", "is_archived", "is_inactive", "user_not_found"),
        *("cant_update_message", "edit_window_closed", "cannot_reply_to_message", "message_not_owned_by_app"),
        "restricted_action_thread_locked",
        "stopped_by_user",
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
        *("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        *("team_added_to_org", "external_channel_migrating", "messaging_processing_failed", "update_failed"),
    }
)
# The same text may pass in plainer clothes.
PAYLOAD = frozenset(
    {
        *("msg_too_long", "msg_blocks_too_long", "msg_blocks_too_many", "invalid_blocks", "invalid_blocks_format"),
        *("invalid_chunks", "markdown_text_conflict", "block_mismatch", "metadata_too_large"),
    }
)
_UNAUTHORIZED = 401  # HTTP


def translate(code: str, detail: str = "", *, status: int = 200, retry_after: float | None = None) -> ChatError:
    """Return the error that Slack's *code* means. *status* is the HTTP status, *retry_after* in seconds."""
    return _kind(code, status)(detail, code=code, retry_after=retry_after)


def _kind(code: str, status: int) -> type[ChatError]:
    if status == 429 or status >= 500 or code in _BUSY:
        return ChatBusy
    if code in _GONE:
        return ThreadGone
    if code in DEAD or status == _UNAUTHORIZED:
        return ChatClosed
    if code in _FORBIDDEN or (code.startswith("slack_connect_") and code.endswith("_blocked")):
        return ChatForbidden
    # What is left is a payload or an order of calls that Slack does not take; repeating it would not help.
    return ChatRejected
