"""The stand-in's streams, sessions and suggested prompts refuse what Slack refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.slack.test_web_api import error, refused

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from sandbox.slack import LocalSlack, Message
    from tests.sandbox.slack.conftest import Bot, Connect

TEXT = {"type": "markdown_text", "text": "Some "}


async def asked(slack: LocalSlack) -> Message:
    return await slack.say("ada", slack.open_dm("ada"), "why?")


async def begun(slack: LocalSlack, client: AsyncWebClient, **more: Any) -> dict[str, Any]:
    question = await asked(slack)
    answer = await client.chat_startStream(
        channel=question.channel, thread_ts=question.ts, **(more or {"chunks": [TEXT]})
    )
    return {"channel": question.channel, "ts": str(answer["ts"])}


async def test_a_stream_grows_and_ends(slack: LocalSlack, client: AsyncWebClient) -> None:
    stream = await begun(slack, client)
    await client.chat_appendStream(**stream, chunks=[{"type": "markdown_text", "text": "words"}])
    grown = slack.messages(stream["channel"])[-1]
    assert (grown.text, grown.more["streaming_state"]) == ("Some words", "in_progress")
    divider = {"type": "divider"}
    metadata = {"event_type": "a", "event_payload": {}}
    await client.chat_stopStream(**stream, blocks=[divider], metadata=metadata)
    ended = slack.messages(stream["channel"])[-1]
    assert [block["type"] for block in ended.blocks] == ["markdown", "divider"]
    assert (ended.metadata, ended.more["streaming_state"]) == (metadata, "completed")
    assert await error(client.chat_appendStream(**stream, chunks=[TEXT])) == "message_not_in_streaming_state"
    assert await error(client.chat_stopStream(**stream)) == "message_not_in_streaming_state"


async def test_a_stream_can_not_be_updated_until_it_ends(slack: LocalSlack, client: AsyncWebClient) -> None:
    stream = await begun(slack, client)
    assert await error(client.chat_update(**stream, text="other")) == "streaming_state_conflict"
    await client.chat_stopStream(**stream)
    await client.chat_update(**stream, text="other")


async def test_a_channel_needs_to_know_whom_it_answers(slack: LocalSlack, client: AsyncWebClient) -> None:
    said = await slack.say("ada", "general", "hello")
    place: dict[str, Any] = {"channel": said.channel, "thread_ts": said.ts, "chunks": [TEXT]}
    assert await error(client.chat_startStream(**place)) == "missing_recipient_user_id"
    assert await error(client.chat_startStream(**place, recipient_user_id=said.user)) == "missing_recipient_team_id"
    await client.chat_startStream(**place, recipient_user_id=said.user, recipient_team_id=slack.team_id)


async def test_direct_messages_have_streams_in_threads_only(slack: LocalSlack, client: AsyncWebClient) -> None:
    question = await asked(slack)
    call = client.api_call("chat.startStream", json={"channel": question.channel, "markdown_text": "a"})
    assert await error(call) == "invalid_arguments"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"chunks": [{"type": "other"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "markdown_text", "text": ""}]}, "invalid_chunks"),
        ({"chunks": [{"type": "markdown_text", "text": "a", "more": 1}]}, "invalid_chunks"),
        ({"chunks": [{"type": "task_update", "id": "1", "title": "a" * 257, "status": "pending"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "task_update", "id": "1", "title": "a", "status": "odd"}]}, "invalid_chunks"),
        ({"chunks": [{"type": "blocks", "blocks": [{"type": "odd"}]}]}, "invalid_blocks"),
        ({"chunks": [{"type": "markdown_text", "text": "a" * 12_001}]}, "msg_too_long"),
        ({"chunks": [{"type": "markdown_text", "text": "a" * 11_996}]}, "msg_too_long"),
        ({"markdown_text": "a", "chunks": [{"type": "markdown_text", "text": "a"}]}, "markdown_text_conflict"),
        ({"markdown_text": "a"}, "streaming_mode_mismatch"),
    ],
)
async def test_what_a_stream_does_not_take(
    slack: LocalSlack, client: AsyncWebClient, given: dict[str, Any], code: str
) -> None:
    stream = await begun(slack, client)
    # Not by the method of the SDK, which leaves out what it doesn't know.
    assert await error(client.api_call("chat.appendStream", json={**stream, **given})) == code


async def test_others_messages_are_no_streams_of_the_app(slack: LocalSlack, client: AsyncWebClient) -> None:
    question = await asked(slack)
    place: dict[str, Any] = {"channel": question.channel, "ts": question.ts}
    assert await error(client.chat_appendStream(**place, chunks=[TEXT])) == "message_not_owned_by_app"
    assert await error(client.chat_stopStream(channel=question.channel, ts="1.0")) == "message_not_found"


async def test_a_stream_ends_by_itself_after_its_time(slack: LocalSlack, client: AsyncWebClient) -> None:
    stream = await begun(slack, client)
    slack.faults.stream_seconds = 0.0
    assert await error(client.chat_appendStream(**stream, chunks=[TEXT])) == "message_not_in_streaming_state"
    assert slack.messages(stream["channel"])[-1].more["streaming_state"] == "errored"


async def test_the_methods_have_their_tiers(slack: LocalSlack, client: AsyncWebClient) -> None:
    question = await asked(slack)
    place: dict[str, Any] = {"channel": question.channel, "thread_ts": question.ts, "chunks": [TEXT]}
    streams = [str((await client.chat_startStream(**place))["ts"]) for _ in range(20)]
    assert await error(client.chat_startStream(**place)) == "ratelimited"
    for _ in range(100):
        await client.chat_appendStream(channel=question.channel, ts=streams[0], chunks=[TEXT])
    assert (
        await error(client.chat_appendStream(channel=question.channel, ts=streams[0], chunks=[TEXT])) == "ratelimited"
    )
    for ts in streams:
        await client.chat_stopStream(channel=question.channel, ts=ts)
    assert await error(client.chat_stopStream(channel=question.channel, ts=streams[0])) == "ratelimited"


async def test_where_there_are_no_streams_the_code_says_so(slack: LocalSlack, client: AsyncWebClient) -> None:
    question = await asked(slack)
    place: dict[str, Any] = {"channel": question.channel, "thread_ts": question.ts, "chunks": [TEXT]}
    slack.faults.no_streams.add("*")
    assert await error(client.chat_startStream(**place)) == "channel_type_not_supported"


# Sessions


async def test_a_session_has_a_status_of_four_and_a_title(slack: LocalSlack, client: AsyncWebClient) -> None:
    question = await asked(slack)
    place: dict[str, Any] = {"channel_id": question.channel, "thread_ts": question.ts}
    assert await error(client.agents_sessions_rename(**place, title="None yet")) == "session_not_found"
    answer = await client.agents_sessions_setStatus(**place, status="processing", title="First")
    assert (answer["status"], answer["title"], answer.get("warning")) == ("processing", "First", None)
    answer = await client.agents_sessions_setStatus(**place, status="active", title="Another")
    assert answer["title"] == "First"
    await client.agents_sessions_rename(**place, title="Second")
    session = slack.session(question.channel, question.ts)
    assert session
    assert (session.title, session.history) == ("Second", ("processing", "active"))
    assert await error(client.agents_sessions_setStatus(**place, status="is thinking…")) == "invalid_arguments"
    assert await error(client.agents_sessions_rename(**place, title="a" * 201)) == "invalid_arguments"
    call = client.agents_sessions_setStatus(channel_id=question.channel, status="active")
    assert await error(call) == "thread_ts_required"
    slack.installation.is_agent = False
    assert await error(client.agents_sessions_setStatus(**place, status="active")) == "feature_disabled"


async def test_an_app_that_hears_of_no_stop_is_warned(slack: LocalSlack, client: AsyncWebClient) -> None:
    slack.installation.events.discard("agent_session_stopped")
    question = await asked(slack)
    answer = await client.agents_sessions_setStatus(
        channel_id=question.channel, thread_ts=question.ts, status="processing"
    )
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
    with pytest.raises(KeyError):
        await slack.stop_session("ada", question.channel, question.ts)


async def test_a_stopped_stream_takes_no_more_and_the_app_is_told(
    slack: LocalSlack, client: AsyncWebClient, bot: Bot, connect: Connect
) -> None:
    await connect()
    stream = await begun(slack, client)
    thread_ts = slack.messages(stream["channel"])[-1].thread_ts
    assert thread_ts
    await slack.stop_session("ada", stream["channel"], thread_ts)
    assert await error(client.chat_appendStream(**stream, chunks=[TEXT])) == "stopped_by_user"
    (event,) = await slack.wait_for(lambda: bot.of("agent_session_stopped"))
    assert (event["channel"], event["thread_ts"], event["streaming_message_ts"]) == (
        stream["channel"],
        thread_ts,
        [stream["ts"]],
    )


async def test_prompts_are_suggested_to_agents_alone(slack: LocalSlack, client: AsyncWebClient) -> None:
    dm = slack.open_dm("ada").id
    prompts = [{"title": "Help", "message": "help"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=prompts)
    assert list(slack.prompts(dm)) == prompts
    for wrong in (prompts * 5, [{"title": "Help"}], [{"title": "", "message": "help"}]):
        call = client.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=wrong)
        assert (await refused(call))["error"] == "invalid_arguments"
    slack.installation.is_agent = False
    assert await error(client.assistant_threads_setSuggestedPrompts(channel_id=dm, prompts=prompts)) == "not_agent_app"
