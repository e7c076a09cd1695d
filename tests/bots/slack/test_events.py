"""Slack's payloads are read as questions, or ignored for a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bots.listening.events import Deleted, Edited, Heard, Ignored, Overheard, Said
from bots.slack.events import channel_of_command, first_note, read_event
from bots.slack.ids import message_of, position
from core.attachment import MOST, Attachment, Kind
from core.turn import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Read = Callable[[str], dict[str, Any]]

BOT = "U0BOT"


def change(message: dict[str, Any], changes: Mapping[str, object]) -> None:
    """Blocks that were not changed along with the text would say something else."""
    if "text" in changes:
        message.pop("blocks", None)
    message.update(changes)


def asked(body: dict[str, Any], **event: object) -> Question:
    change(body["event"], event)
    said = read_event(body, BOT)
    assert isinstance(said, Said), said
    return said.question


def test_a_mention_begins_a_thread_at_its_message(payload: Read) -> None:
    question = asked(payload("app_mention"))
    assert question.text == "what is the time?"
    assert question.asker == "U0ADA"
    assert question.key == "slack:T0WORKSPACE/C0GENERAL/1700000000.000100"
    assert question.thread.id == "slack:T0WORKSPACE/C0GENERAL/1700000000.000100"
    assert question.thread.within == ("slack:T0WORKSPACE", "slack:T0WORKSPACE/C0GENERAL")


def test_both_doors_lead_to_the_same_question(payload: Read) -> None:
    mention = payload("app_mention")
    message = payload("message_channels")
    assert asked(mention) == asked(message, text=mention["event"]["text"])


def test_a_mention_in_a_thread_stays_in_it(payload: Read) -> None:
    question = asked(payload("thread_reply"), text=f"and now, <@{BOT}>?")
    assert question.thread.id.endswith("/1700000000.000050")
    assert question.key.endswith("/1700000000.000100")
    assert question.text == "and now,?"


def test_the_bots_id_in_code_is_no_mention(payload: Read) -> None:
    for text in (f"write `<@{BOT}>`", f"```<@{BOT}> hi```", f"see `<@{BOT}|bobbin>` there"):
        body = payload("message_channels")
        body["event"]["text"] = text
        assert isinstance(read_event(body, BOT), Ignored | Overheard)


def test_a_mention_beside_code_leaves_that_whole(payload: Read) -> None:
    assert asked(payload("app_mention"), text=f"<@{BOT}> what does `<@{BOT}>` do?").text == f"what does `<@{BOT}>` do?"


def test_blocks_know_better_than_backticks_who_is_called(payload: Read) -> None:
    section = {"type": "rich_text_section", "elements": [{"type": "user", "user_id": BOT}]}
    blocks = [{"type": "rich_text", "elements": [section]}]
    assert asked(payload("message_channels"), text=f"a ` and <@{BOT}> and ` b", blocks=blocks).asker


def test_the_note_knows_where_the_answer_goes(payload: Read) -> None:
    where = first_note(asked(payload("thread_reply"), text=f"<@{BOT}> hi")).where
    assert (where.channel, where.thread_ts, where.question_ts) == (
        "C0GENERAL",
        "1700000000.000050",
        "1700000000.000100",
    )


def test_a_direct_message_needs_no_mention(payload: Read) -> None:
    assert asked(payload("message_im")).text == "Good morning"


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_what_people_do_beside_plain_text_counts(payload: Read, subtype: str) -> None:
    assert asked(payload("file_share"), text=f"<@{BOT}> look", subtype=subtype).text == "look"


def test_a_file_is_known_by_name_type_and_size_and_by_where_it_can_be_fetched_with_the_token(payload: Read) -> None:
    url = "https://files.slack.com/files-pri/T0-F0/notes.txt"
    told = {"id": "F0", "name": "notes.txt", "mimetype": "text/plain", "size": 3, "url_private": url}
    question = asked(payload("file_share"), text=f"<@{BOT}> look", files=[told])
    [one] = question.attachments
    assert one == Attachment(Kind.TEXT, "notes.txt", 3, ref=f"F0 {url}", media_type="text/plain")
    assert one.is_read


@pytest.mark.parametrize(
    ("told", "ref", "kind"),
    [
        # https://docs.slack.dev/reference/methods/files.remote.info: its url_private may lead anywhere.
        ({"mode": "external", "url_private": "https://example.org/a.png"}, "", Kind.EXTERNAL),
        ({"is_external": True, "url_private": "https://example.org/a.png"}, "", Kind.EXTERNAL),
        ({"id": "F0", "mimetype": "application/vnd.slack-docs", "url_private": "https://x"}, "", Kind.OTHER),
        ({"id": "F0", "file_access": "check_file_info", "mode": "file_access"}, "F0", Kind.FILE),
        ({"id": "F0/../x", "url_private": "https://files.slack.com/a"}, " https://files.slack.com/a", Kind.FILE),
        ({"id": 7, "url_private": ["x"]}, "", Kind.FILE),
        ({"id": "F0", "url_private": "https://files.slack.com/" + "a" * 3_000}, "F0", Kind.FILE),
    ],
)
def test_what_slack_does_not_keep_itself_has_no_place_to_be_fetched_from(
    payload: Read, told: dict[str, object], ref: str, kind: Kind
) -> None:
    [one] = asked(payload("file_share"), text=f"<@{BOT}> look", files=[told]).attachments
    assert (one.ref, one.kind, one.url) == (ref, kind, "")


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (None, []),
        ("notes.txt", []),
        ({"name": "notes.txt"}, []),
        ([], []),
        ([None, "x", 7], ["", "", ""]),
        ([{}], [""]),
        ([{"name": None, "title": "Notes", "mimetype": None, "size": "3"}], ["Notes"]),
        ([{"id": "F0", "mode": "tombstone"}], []),  # deleted
        ([{"id": "F0", "mode": "hidden_by_limit"}], [""]),
        ([{"id": "F0", "file_access": "check_file_info", "mode": "file_access"}], [""]),
        ([{"name": f"{number}.txt"} for number in range(100)], [f"{number}.txt" for number in range(MOST)]),
    ],
)
@pytest.mark.parametrize("text", [f"<@{BOT}> look", f"<@{BOT}>"])
def test_files_of_any_shape_are_survived(payload: Read, files: object, names: list[str], text: str) -> None:
    question = asked(payload("file_share"), text=text, files=files)
    assert [one.name for one in question.attachments] == names
    assert not any(one.url for one in question.attachments)


FORWARD = {"is_share": True, "is_msg_unfurl": True, "text": "E42: valve sensor out of range"}
PREVIEW = {"from_url": "https://example.org", "title": "Example"}
BLOCK = {"type": "rich_text", "elements": []}


@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        ({"text": "", "attachments": [FORWARD]}, []),  # told in words
        ({"text": "look", "attachments": [PREVIEW, FORWARD]}, []),
        ({"text": "look", "attachments": [{"is_share": True}]}, [Kind.OTHER]),
        ({"text": "look", "attachments": [PREVIEW], "blocks": [BLOCK]}, []),  # what Slack adds to words
        ({"text": "", "attachments": [PREVIEW], "blocks": []}, [Kind.OTHER]),
        ({"text": "\u200b", "blocks": [BLOCK]}, [Kind.OTHER]),
        ({"text": f"<@{BOT}>", "blocks": [BLOCK]}, []),  # the mention itself is in a block
        ({"text": "", "attachments": "x", "blocks": {"0": BLOCK}}, []),
        ({"text": "", "attachments": [None, 7], "blocks": []}, [Kind.OTHER]),
    ],
)
def test_what_is_said_in_other_ways_than_words_is_known(
    payload: Read, message: dict[str, Any], kinds: list[Kind]
) -> None:
    assert [one.kind for one in asked(payload("message_im"), **message).attachments] == kinds


def test_a_mention_with_the_name_beside_it_counts(payload: Read) -> None:
    """https://docs.slack.dev/messaging/formatting-message-text#mentioning-users"""
    assert asked(payload("message_channels"), text=f"<@{BOT}|bobbin> hi").text == "hi"


@pytest.mark.parametrize("name", ["own_message", "bot_message", "message_changed"])
def test_what_nobody_said_is_ignored(payload: Read, name: str) -> None:
    assert isinstance(read_event(payload(name), BOT), Ignored | Overheard)


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "not for you"},
        {"text": "<@U0BOTTOM> hi"},
        {"channel_type": "mpim"},
        {"bot_id": "B0LAMP"},
        {"bot_profile": {"id": "B0LAMP"}},
        {"app_id": "A0LAMP"},
        {"user": "USLACKBOT"},
        {"user": None},
        {"user": BOT},
        {"hidden": True},
        {"edited": {"user": "U0ADA", "ts": "1700000009.000000"}},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
    ],
    ids=str,
)
def test_a_message_is_ignored_when(payload: Read, changed: dict[str, object]) -> None:
    body = payload("message_channels")
    mention = {} if "channel_type" in changed else {"text": f"<@{BOT}> hi"}
    body["event"].update(mention | changed)
    assert isinstance(read_event(body, BOT), Ignored | Overheard)


def test_in_a_shared_channel_it_is_the_installation_that_counts(payload: Read) -> None:
    """https://docs.slack.dev/apis/events-api#authorizations"""
    body = payload("app_mention")
    body["team_id"] = "T0THEIRS"
    body["event"]["team"] = "T0THEIRS"
    assert asked(body).thread.workspace == "slack:T0WORKSPACE"


def test_an_installation_for_a_whole_organisation_is_one_place(payload: Read) -> None:
    body = payload("app_mention")
    body["authorizations"] = [{"enterprise_id": "E0ORG", "team_id": None, "is_enterprise_install": True}]
    command = payload("slash_command") | {"is_enterprise_install": "true", "enterprise_id": "E0ORG"}
    assert asked(body).thread.workspace == channel_of_command(command).workspace == "slack:E0ORG"


def test_a_command_is_given_in_a_channel(payload: Read) -> None:
    thread = channel_of_command(payload("slash_command"))
    assert thread.id == "slack:T0WORKSPACE/C0GENERAL"
    assert thread.layers == ("slack:T0WORKSPACE", "slack:T0WORKSPACE/C0GENERAL")


# Edits and deletions


def edit(body: dict[str, Any], before: str, after: str, **message: object) -> Heard:
    change(body["event"]["previous_message"], {"text": before})
    change(body["event"]["message"], {"text": after} | message)
    return read_event(body, BOT)


def test_an_edited_question_has_the_key_of_the_first(payload: Read) -> None:
    question = asked(payload("message_channels"), text=f"<@{BOT}> tea?")
    revised = edit(payload("message_changed"), f"<@{BOT}> tea?", f"<@{BOT}> coffee?")
    assert isinstance(revised, Edited)
    assert (revised.question.key, revised.question.thread) == (question.key, question.thread)
    assert revised.question.text == "coffee?"
    assert revised.may_ask  # should it come before the message itself
    assert revised.position == position(message_of(question.key)[2])


def test_a_mention_may_come_or_go_with_an_edit(payload: Read) -> None:
    come = edit(payload("message_changed"), "tea?", f"<@{BOT}> tea?")
    gone = edit(payload("message_changed"), f"<@{BOT}> tea?", "never mind")
    assert isinstance(come, Edited)
    assert isinstance(gone, Edited)
    assert (come.may_ask, gone.may_ask) == (True, False)


@pytest.mark.parametrize(
    "message",
    [
        {"text": f"<@{BOT}> tea?", "attachments": [{"title": "Tea"}]},
        {"edited": None},
        {"user": BOT},
        {"bot_id": "B0LAMP"},
    ],
    ids=str,
)
def test_a_change_is_no_edit_when(payload: Read, message: dict[str, object]) -> None:
    change = edit(payload("message_changed"), f"<@{BOT}> tea?", f"<@{BOT}> coffee?", **message)
    assert isinstance(change, Ignored | Overheard)


def test_what_people_edit_among_themselves_is_ignored(payload: Read) -> None:
    assert isinstance(edit(payload("message_changed"), "tea?", "coffee?"), Ignored | Overheard)


def test_a_deleted_question_is_withdrawn_with_or_without_replies(payload: Read) -> None:
    """With replies a tombstone stays in its place."""
    question = asked(payload("message_channels"), text=f"<@{BOT}> tea?")
    tombstone = {"subtype": "tombstone", "user": "USLACKBOT", "edited": None}
    left = edit(payload("message_changed"), f"<@{BOT}> tea?", "This message was deleted.", **tombstone)
    assert read_event(payload("message_deleted"), BOT) == left == Deleted((question.key,))


@pytest.mark.parametrize("before", [{"user": BOT}, {"bot_id": "B0LAMP"}, {"user": "USLACKBOT"}], ids=str)
def test_what_no_person_said_can_not_be_withdrawn(payload: Read, before: dict[str, object]) -> None:
    body = payload("message_deleted")
    body["event"]["previous_message"].update(before)
    assert isinstance(read_event(body, BOT), Ignored | Overheard)
