"""What a Slack message brings along is read, whatever shape it has, and previews are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.listening.events import Said
from bots.slack.blocks import text_of
from bots.slack.carried import quotes_of
from bots.slack.events import read_event
from bots.slack.names import MOST_NAMED, Names, mentioned_in, names
from core.attachment import Attachment, Kind
from core.quote import Quote, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[str], dict[str, Any]]

BOT = "U0BOT"
BEN = Names({"U0BEN": "Ben"}, {"U0BEN": "Ben", "C0OPS": "ops", "S0TEAM": '"night shift"'})
SHARE = {"is_share": True, "author_id": "U0BEN", "author_name": "ben", "text": "E42: &lt;valve&gt; says <@U0BEN>"}
PREVIEW = {"from_url": "https://a.example", "title": "Buy now", "text": "advert", "blocks": []}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def table(*rows: tuple[object, ...]) -> dict[str, Any]:
    cells = [[one if isinstance(one, dict) else {"type": "raw_text", "text": one} for one in row] for row in rows]
    return {"type": "table", "rows": cells}


def carried(names: Names = BEN, **message: Any) -> list[Quote]:
    return list(quotes_of({"text": "why?", "user": "U0ADA", **message}, BOT, names))


def test_a_forward_has_its_words_its_author_and_its_files() -> None:
    [quote] = carried(attachments=[SHARE | {"files": [{"name": "a.txt", "size": 3}, {"mode": "tombstone"}]}])
    files = (Attachment(Kind.TEXT, "a.txt", 3),)
    assert quote == Quote(Source.FORWARD, "E42: <valve> says @Ben", "Ben", attachments=files)


def test_the_author_of_a_forward_has_at_least_the_name_that_slack_wrote() -> None:
    [quote] = carried(attachments=[SHARE | {"author_id": "U0CAI", "author_name": "Cai\n*of* York"}])
    assert quote.author == "Cai of York"
    assert [one.author for one in carried(Names(tells=False), attachments=[SHARE])] == [""]


def test_a_forward_of_its_own_answer_is_known() -> None:
    [quote] = carried(attachments=[SHARE | {"author_id": BOT}])
    assert (quote.is_ours, quote.author) == (True, "")


def test_a_forward_of_a_forward_is_read_and_no_deeper_than_people_go() -> None:
    deep = SHARE | {"text": "9"}
    for level in range(8, -1, -1):
        deep = SHARE | {"text": str(level), "attachments": [deep, PREVIEW]}
    assert [one.text for one in carried(attachments=[deep])] == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "inside",
    [
        {"blocks": [section(text("from blocks"))]},
        {"message_blocks": [{"team": "T", "message": {"blocks": [section(text("from blocks"))]}}]},
        {"fallback": "from blocks", "blocks": []},
    ],
)
def test_a_forward_without_text_is_read_in_its_blocks(inside: dict[str, Any]) -> None:
    assert [one.text for one in carried(attachments=[{"is_share": True, **inside}])] == ["from blocks"]


@pytest.mark.parametrize(
    ("fallback", "told"),
    [
        ("[November 27th, 2026 6:11 AM] ada.lovelace: E42: see <@U0BEN|ben>", "E42: see @someone"),
        ("E42: no date, so no name", "E42: no date, so no name"),
    ],
)
def test_where_names_are_not_told_a_forwards_last_resort_tells_none(fallback: str, told: str) -> None:
    message = {"text": "", "attachments": [{"is_share": True, "fallback": fallback, "author_name": "Ada"}]}
    nobody = names(mentioned_in(message), tells=False)
    assert [(one.text, one.author) for one in quotes_of(message, BOT, nobody)] == [(told, "")]


def test_a_table_in_a_forward_stands_below_its_words() -> None:
    inside = {"message_blocks": [{"message": {"blocks": [section(text("E42")), table(("a", "b"), ("1", "2"))]}}]}
    [quote] = carried(attachments=[{"is_share": True, "text": "E42", **inside}])
    assert quote.text == "E42\n\na | b\n1 | 2"


def test_previews_are_no_part_of_it() -> None:
    app = {"is_app_unfurl": True, "app_unfurl_url": "https://b.example", "blocks": [table(("x", "y"))]}
    stray = {"id": 1, "title": "Buy now", "fallback": "Buy now"}
    assert carried(attachments=[PREVIEW, app, stray], blocks=[section(text("why?"))]) == []


def test_tables_are_read_wherever_slack_puts_them() -> None:
    rows = table(
        ("Item", "Who"),
        (section(text("Pump "), {"type": "user", "user_id": "U0BEN"}), {"type": "raw_number", "text": "3"}),
    )
    told = Quote(Source.EMBED, "Item | Who\nPump @Ben | 3")
    assert carried(blocks=[section(text("why?")), rows]) == [told]
    assert carried(attachments=[{"id": 1, "fallback": "[no preview available]", "blocks": [rows]}]) == [told]


def test_what_apps_lay_out_is_read_unless_their_text_says_it() -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "Build 7"}}]
    fields = {"fields": [{"title": "Step", "value": "link"}], "footer": "CI", "pretext": "failed"}
    told = carried(bot_id="B0CI", text="A build failed", blocks=blocks, attachments=[fields, PREVIEW])
    assert [one.text for one in told] == ["Build 7", "failed\nStep: link\nCI"]
    assert carried(bot_id="B0CI", text="Build 7", blocks=blocks) == []


def test_blocks_are_read_as_people_see_them() -> None:
    blocks = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*Hi* <@U0BEN> in <#C0OPS>"},
            "fields": [{"type": "plain_text", "text": "f"}],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}, {"type": "image", "image_url": "x"}]},
        {"type": "divider"},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        text("see "),
                        {"type": "link", "url": "https://a.example", "text": "it"},
                        {"type": "emoji", "name": "tada"},
                        {"type": "broadcast", "range": "here"},
                    ],
                },
                {
                    "type": "rich_text_list",
                    "indent": 1,
                    "elements": [{"type": "rich_text_section", "elements": [text("one")]}],
                },
                {"type": "rich_text_quote", "elements": [text("two\nthree")]},
                {"type": "rich_text_preformatted", "elements": [text("x = 1")]},
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "usergroup", "usergroup_id": "S0TEAM"}, {"type": "user", "user_id": "U0X"}],
                },
            ],
        },
        {"type": "markdown", "text": "**end**"},
    ]
    assert text_of(blocks, BEN).split("\n") == [
        *("*Hi* @Ben in #ops", "f", "", "small", ""),
        *("see it (https://a.example):tada:@here", "   - one", "> two", "> three", "```", "x = 1", "```"),
        *('@"night shift"@U0X', "", "**end**"),
    ]


def test_a_voice_message_says_how_long_it_is() -> None:
    clip = {"name": "audio_message.m4a", "subtype": "slack_audio", "duration_ms": 12_300}
    assert carried(files=[clip]) == [Quote(Source.VOICE, "A voice message of 12 seconds, which you can't hear")]
    for odd in (None, "12", -1, 1e300, float("nan"), float("-inf"), True):
        [quote] = carried(files=[clip | {"duration_ms": odd}])
        assert quote.text.startswith("A voice message")


def test_a_message_of_blocks_alone_is_read(payload: Read) -> None:
    said = read_event(with_event(payload("message_im"), text="", blocks=[section(text("from blocks"))]), BOT)
    assert isinstance(said, Said)
    assert (said.question.text, said.question.quotes) == ("from blocks", ())


def with_event(body: dict[str, Any], **event: object) -> dict[str, Any]:
    body["event"].update(event)
    return body


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["table", "rich_text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "text",
                    "elements",
                    "rows",
                    "is_share",
                    "message_blocks",
                    "message",
                    "blocks",
                    "fields",
                    "files",
                    "attachments",
                    "author_id",
                    "author_name",
                    "user_id",
                    "title",
                    "value",
                    "name",
                    "url",
                    "indent",
                    "fallback",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(ODD, ODD, ODD, ODD, st.booleans())
def test_messages_of_any_shape_are_survived(
    text: object, blocks: object, beside: object, files: object, bot: object
) -> None:
    message = {"text": text, "blocks": blocks, "attachments": beside, "files": files, "user": text, "bot_id": bot}
    mentioned = mentioned_in(message)
    for quote in quotes_of(message, BOT, names(mentioned)):
        assert isinstance(quote.text, str)
        assert isinstance(quote.author, str)


def test_a_message_deep_as_a_bomb_is_read_as_far_as_it_goes() -> None:
    bomb: Any = section(text("x"))
    for _ in range(5_000):
        bomb = {"type": "section", "elements": [bomb]}
    share = SHARE
    for _ in range(2_000):
        share = SHARE | {"attachments": [share]}
    message = {"text": "", "blocks": [bomb] * 50, "attachments": [share] * 50}
    mentioned_in(message)
    assert len(quotes_of(message, BOT, BEN)) <= 100


# Names


def test_all_who_are_named_are_found_once() -> None:
    found = mentioned_in(
        {
            "user": "U0ADA",
            "text": "<@U0BEN> <@U0BEN|ben> <#C0OPS|ops> <#C0NEW|> <!subteam^S0TEAM> <!here> &lt;@U0NOT&gt;",
            "attachments": [{"text": "<@U0CAI>", "blocks": [section({"type": "channel", "channel_id": "C0X"})]}],
        }
    )
    assert found.people == {"U0ADA": "", "U0BEN": "ben", "U0CAI": ""}
    assert found.channels == {"C0OPS": "ops", "C0NEW": "", "C0X": ""}
    assert found.groups == {"S0TEAM": ""}


def test_no_more_are_named_than_can_be_looked_up() -> None:
    found = mentioned_in({"user": "U0ADA", "text": " ".join(f"<@U{number:09}>" for number in range(1_000))})
    assert len(found.people) == MOST_NAMED
    assert "U0ADA" in found.people


def test_who_is_not_known_is_called_by_a_neutral_word(payload: Read) -> None:
    event = {
        "user": "U0ADA",
        "blocks": [],
        "text": f"<@{BOT}> ask <@U0BEN>, <@U0CAI|cai r>, <#C0X>, <#C0OPS|ops>, <!subteam^S0TEAM|@team>, <@U0X>",
    }
    known = names(mentioned_in(event), people={"U0BEN": "Ben of York", "U0X": ""}, channels={"C0X": "general"})
    said = read_event(with_event(payload("app_mention"), **event), BOT, known)
    assert isinstance(said, Said)
    assert said.question.text == 'ask @"Ben of York", @"cai r", #general, #ops, @team, @someone'
    assert said.question.asker_name == ""
    nobody = names(mentioned_in(event), people={"U0BEN": "Ben", "U0ADA": "Ada"}, tells=False)
    said = read_event(with_event(payload("app_mention"), **event), BOT, nobody)
    assert isinstance(said, Said)
    assert said.question.text == "ask @someone, @someone, #channel, #ops, @team, @someone"
    assert said.question.asker_name == ""


def test_who_talks_with_the_bot_alone_needs_no_name(payload: Read) -> None:
    said = read_event(payload("message_im"), BOT, Names({"U0ADA": "Ada"}))
    assert isinstance(said, Said)
    assert said.question.asker_name == ""
