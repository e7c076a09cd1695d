"""Every code of Slack's that matters here means one thing."""

from __future__ import annotations

import pytest

from bots.slack.errors import LONGEST_WAIT, detail_of, translate
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

MEANINGS: dict[type[ChatError], str] = {
    ThreadGone: """
        channel_not_found message_not_found thread_not_found is_archived is_inactive
        cannot_reply_to_message restricted_action_thread_locked user_not_found stopped_by_user""",
    ChatClosed: """
        invalid_auth account_inactive token_revoked not_authed org_login_required token_expired team_access_not_granted""",
    ChatForbidden: """
        not_in_channel missing_scope not_allowed_token_type no_permission access_denied app_access_restricted
        restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel
        restricted_action_non_threadable_channel ekm_access_denied messages_tab_disabled not_agent_app feature_disabled
        accesslimited slack_connect_file_upload_sharing_blocked message_limit_exceeded""",
    ChatLimited: "ratelimited rate_limited",
    ChatBusy: """
        internal_error fatal_error service_unavailable request_timeout team_added_to_org
        external_channel_migrating messaging_processing_failed update_failed""",
    ChatRejected: """
        message_not_in_streaming_state no_text streaming_state_conflict thread_ts_required missing_recipient_user_id missing_recipient_team_id trigger_expired
        operation_timeout unknown_method method_deprecated feature_not_enabled channel_type_not_supported
        cant_update_message edit_window_closed message_not_owned_by_app""",
    PayloadRefused: """
        msg_too_long msg_blocks_too_long msg_blocks_too_many invalid_blocks invalid_blocks_format invalid_chunks
        markdown_text_conflict block_mismatch metadata_too_large invalid_arguments""",
    RefusalUnclear: "a_new_one",
}


@pytest.mark.parametrize(("code", "kind"), [(code, kind) for kind, codes in MEANINGS.items() for code in codes.split()])
def test_a_code_means(code: str, kind: type[ChatError]) -> None:
    error = translate(code, "a detail", retry_after=7)
    assert type(error) is kind
    assert (error.code, error.detail, error.retry_after) == (code, "a detail", 7)


@pytest.mark.parametrize(("status", "kind"), [(429, ChatLimited), (500, ChatBusy), (502, ChatBusy), (503, ChatBusy)])
def test_the_http_status_says_it_as_well(status: int, kind: type[ChatError]) -> None:
    assert type(translate("whatever", status=status)) is kind


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 403, 404, 408, 418])
@pytest.mark.parametrize("code", [None, "", "<html>", "a sentence of some kind", 5, ["invalid_auth"], "x" * 61])
def test_a_status_without_a_code_is_no_verdict(status: int, code: object) -> None:
    """A proxy may have set it."""
    error = translate(code, status=status)
    assert type(error) is ChatUnclear
    assert error.code == f"http_{status}"


@pytest.mark.parametrize("told", ["86400", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_waits_longer_than_makes_sense(told: str) -> None:
    assert translate("ratelimited", status=429, retry_after=told).retry_after == LONGEST_WAIT


def test_of_what_slack_says_scopes_and_places_are_kept() -> None:
    """The rest may quote what was sent."""
    messages = ["[ERROR] invalid value: some words [json-pointer:/blocks/0/text]", 5]
    refused = {"error": "missing_scope", "needed": "chat:write,im:write", "response_metadata": {"messages": messages}}
    assert detail_of(refused) == "needs chat:write,im:write; /blocks/0/text"
    for odd in ({}, {"needed": "some words"}, {"response_metadata": {"messages": "some words"}}, {"needed": [1]}):
        assert detail_of(odd) == ""
