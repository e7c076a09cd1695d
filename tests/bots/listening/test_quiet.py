"""The quiet rule, by example: what is said without a mention where the bot follows, and what it does about it."""

from __future__ import annotations

from typing import Any

import pytest

from bots.listening.courtesy import asks
from bots.listening.quiet import Addressing, Conduct, RepliesTo, Situation, decide, said_to

ANSWER, QUIET, REACT = Conduct.ANSWER, Conduct.QUIET, Conduct.REACT

# What came before.
ALONE: dict[str, Any] = {}  # one person and the bot, which spoke last
ALONE_ASKED: dict[str, Any] = {"bot_asked": True}
AFTER: dict[str, Any] = {"people": 3, "their_names": ("Ben", "Cleo")}  # of several, who asked speaks after the answer
AFTER_ASKED: dict[str, Any] = {**AFTER, "bot_asked": True}
ANOTHER: dict[str, Any] = {"people": 2, "is_from_asker": False, "their_names": ("Ada",)}
ANOTHER_ASKED: dict[str, Any] = {**ANOTHER, "bot_asked": True}
TALK: dict[str, Any] = {**AFTER, "others_since": True}  # somebody else has spoken since the bot
TALK_ANOTHER: dict[str, Any] = {**ANOTHER, "others_since": True, "people": 3}
OUT: dict[str, Any] = {**AFTER, "is_staying_out": True}

TO_OTHER = Addressing(begins_with_other=True, names_other=True)
NAMES_OTHER = Addressing(names_other=True)
REPLY_TO_OTHER, REPLY_TO_BOT = Addressing(replies_to=RepliesTo.OTHER), Addressing(replies_to=RepliesTo.BOT)
TO_ALL = Addressing(calls_all=True)


# What is said, what else there is of it, what came before, what the bot does, and why.
EXAMPLES = [
    # One person and the bot: in doubt it answers.
    ("And on Windows?", {}, ALONE, ANSWER, "a follow-up"),
    ("Make it shorter", {}, ALONE, ANSWER, "a wish needs no question mark"),
    ("no, that's not what I meant", {}, ALONE, ANSWER, "an objection"),
    ("und jetzt auf Deutsch", {}, ALONE, ANSWER, "in any language"),
    ("もっと短くして", {}, ALONE, ANSWER, "in any script"),
    ("hm, let me try that", {}, ALONE, ANSWER, "in doubt, since nobody else is there"),
    ("2", {}, ALONE, ANSWER, "a number is no nod"),
    ("https://example.org/log", {}, ALONE, ANSWER, "a link, and nobody else it could be for"),
    ("", {"has_files": True}, ALONE, ANSWER, "a file, and nobody else it could be for"),
    ("thanks, now make it shorter", {}, ALONE, ANSWER, "thanks with a wish are a wish"),
    ("Danke! Und wie lange dauert das?", {}, ALONE, ANSWER, "thanks with a question are a question"),
    ("ok, and the second one?", {}, ALONE, ANSWER, "a nod with a question is a question"),
    ("what did @Ben mean by that?", {"addressing": NAMES_OTHER}, ALONE, ANSWER, "a question about somebody"),
    # Thanks, nods and laughter are no questions.
    ("thanks!", {}, ALONE, REACT, "thanks"),
    ("Thank you so much 🙏", {}, ALONE, REACT, "thanks"),
    ("vielen Dank, das hilft", {}, ALONE, REACT, "thanks in German"),
    ("merci beaucoup", {}, ALONE, REACT, "thanks in French"),
    ("¡muchas gracias!", {}, ALONE, REACT, "thanks in Spanish"),
    ("ありがとうございます", {}, ALONE, REACT, "thanks in Japanese"),
    ("谢谢", {}, ALONE, REACT, "thanks in Chinese"),
    ("спасибо большое", {}, ALONE, REACT, "thanks in Russian"),
    ("great, that works, thanks", {}, AFTER, REACT, "thanks among several"),
    ("👍", {}, ALONE, QUIET, "an emoji is a reaction already"),
    ("🎉🎉 :tada:", {}, ALONE, QUIET, "emoji, one of the workspace's"),
    ("<:party:1234567890>", {}, ALONE, QUIET, "an emoji of a server"),
    ("+1", {}, AFTER, QUIET, "as good as an emoji"),
    ("lol", {}, ALONE, QUIET, "laughter"),
    ("hahahaha", {}, ANOTHER, QUIET, "laughter of another"),
    ("ok", {}, ALONE, QUIET, "a nod"),
    ("Perfekt.", {}, ALONE, QUIET, "a nod in German"),
    ("genial, super", {}, ALONE, QUIET, "a nod in Spanish"),
    ("了解です", {}, ALONE, QUIET, "a nod in Japanese"),
    ("", {"is_gesture": True}, ALONE, QUIET, "a sticker is a nod"),
    ("...", {}, ALONE, QUIET, "nothing is said"),
    ("", {"has_files": True}, AFTER, ANSWER, "a file of the one who asked goes with the question"),
    # The bot had just asked: then the same is an answer.
    ("yes", {}, ALONE_ASKED, ANSWER, "what the bot wanted to know"),
    ("2", {}, AFTER_ASKED, ANSWER, "the choice that the bot offered"),
    ("👍", {}, ALONE_ASKED, ANSWER, "agreed"),
    ("ja bitte", {}, AFTER_ASKED, ANSWER, "agreed, in German"),
    ("", {"has_files": True}, AFTER_ASKED, ANSWER, "the file that the bot asked for"),
    ("https://example.org/issue/7", {}, AFTER_ASKED, ANSWER, "the link that the bot asked for"),
    ("the one from Tuesday, I think, not the other", {}, AFTER_ASKED, ANSWER, "who asked is asked back"),
    ("version 3.2", {}, ANOTHER_ASKED, ANSWER, "another one knows"),
    ("", {"is_gesture": True}, ALONE_ASKED, ANSWER, "a sticker for a yes"),
    ("we could all go for lunch early today, it is so warm outside", {}, ANOTHER_ASKED, QUIET, "too much for an answer"),
    # For somebody else, by the platform's marks.
    ("@Ben can you look at this?", {"addressing": TO_OTHER}, AFTER, QUIET, "it begins with somebody else"),
    ("@Ben can you look at this?", {"addressing": TO_OTHER}, ALONE_ASKED, QUIET, "also when the bot had asked"),
    ("is that right?", {"addressing": REPLY_TO_OTHER}, AFTER, QUIET, "it replies to somebody else"),
    ("yes", {"addressing": REPLY_TO_OTHER}, AFTER_ASKED, QUIET, "it replies to somebody else, who asked as well"),
    ("lunch in ten minutes?", {"addressing": TO_ALL}, AFTER, QUIET, "it calls a group"),
    ("@here does anybody know?", {}, ALONE, QUIET, "it calls who is here, if only in letters"),
    ("@everyone look at this", {}, AFTER_ASKED, QUIET, "it calls everybody"),
    ("I'll ask @Ben", {"addressing": NAMES_OTHER}, AFTER, QUIET, "it mentions somebody, and asks nothing"),
    ("And on Linux?", {"is_edit": True}, ALONE, QUIET, "an edit asks nothing anew"),
    ("@claudia was meinst du?", {}, AFTER, QUIET, "a mention that didn't become one"),
    # For somebody else, by their name.
    ("Ben, can you check?", {}, AFTER, QUIET, "it is said to Ben"),
    ("danke Ben", {}, AFTER, QUIET, "Ben is thanked"),
    ("what do you think, Cleo?", {}, AFTER, QUIET, "it is said to Cleo"),
    ("benchmarks, too?", {}, AFTER, ANSWER, "no name, though it begins like one"),
    # People talk with each other.
    ("12:30", {}, TALK, QUIET, "the next word between two people"),
    ("I think so too", {}, TALK, QUIET, "the next word between two people"),
    ("and who tells Cleo?", {}, TALK, QUIET, "a question, and not to the bot"),
    ("see https://example.org", {}, TALK_ANOTHER, QUIET, "a third one joins them"),
    ("thanks", {}, TALK, QUIET, "whoever is thanked, it isn't the bot"),
    ("why is that?", {"addressing": REPLY_TO_BOT}, TALK, ANSWER, "a reply to the bot is for it, whoever spoke since"),
    # Another person than the one who asked, right after the answer: in doubt it keeps still.
    ("does that work for teams, too?", {}, ANOTHER, ANSWER, "a question right after the answer"),
    ("told you so", {}, ANOTHER, QUIET, "a word to the one who asked"),
    ("https://example.org", {}, ANOTHER, QUIET, "a link for all who are here"),
    ("", {"has_files": True}, ANOTHER, QUIET, "a file for all who are here"),
    ("make it a table", {"addressing": REPLY_TO_BOT}, ANOTHER, ANSWER, "it replies to the bot"),
    ("thank you", {"addressing": REPLY_TO_BOT}, ANOTHER, REACT, "a reply that thanks"),
    # To the bot by its name: as good as a mention.
    ("bobbin, what do you think?", {}, TALK, ANSWER, "it is said to the bot"),
    ("bobbin，你觉得呢？", {}, TALK, ANSWER, "it is said to the bot"),
    ("どう思う、bobbin？", {}, TALK, ANSWER, "it is said to the bot"),
    ("Bobbin: summarise this", {}, TALK_ANOTHER, ANSWER, "it is said to the bot"),
    ("hey bobbin can you help?", {}, TALK, ANSWER, "it is said to the bot, without a comma"),
    ("hey bobbin which one is faster", {}, TALK_ANOTHER, ANSWER, "nobody greets who isn't meant"),
    ("Hallo Bobbin fass das zusammen", {}, TALK, ANSWER, "in German"),
    ("hello bobbins are round", {}, TALK, QUIET, "no name, though it begins like one"),
    ("so bobbin said it's the cache", {}, TALK, QUIET, "about the bot, and no greeting"),
    ("yes please", {}, {**TALK, "bot_asked": True}, QUIET, "somebody else has spoken since: in doubt it keeps still"),
    ("no, that's wrong. We have 40 writers.", {}, AFTER, ANSWER, "an objection of the one who asked"),
    ("cc @Ben", {"addressing": NAMES_OTHER}, AFTER, QUIET, "it brings somebody in"),
    ("?", {}, ALONE_ASKED, ANSWER, "puzzled by what the bot asks"),
    ("so what now, bobbin?", {}, TALK, ANSWER, "the name comes last"),
    ("@bobbin are you there", {}, TALK, ANSWER, "a mention that didn't become one"),
    ("bobbin", {}, TALK, ANSWER, "it is called"),
    ("thanks bobbin!", {}, TALK, REACT, "it is thanked"),
    ("danke dir, bobbin", {}, TALK, REACT, "it is thanked in German"),
    ("bobbin says it's the cache", {}, TALK, QUIET, "about the bot, not to it"),
    ("did you ask bobbin", {}, AFTER, QUIET, "about the bot, to others"),
    # Told to stay out.
    ("and why is that?", {}, OUT, QUIET, "until it is called"),
    ("bobbin, and why is that?", {}, OUT, ANSWER, "it is called"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "more", "before", "conduct", "why"), EXAMPLES, ids=[f"{one[0]}-{one[4]}" for one in EXAMPLES]
)
def test_the_table(text: str, more: dict[str, Any], before: dict[str, Any], conduct: Conduct, why: str) -> None:
    decision = decide(Situation(text, **{**before, **more}))
    assert decision.conduct is conduct, f"{decision.reason}; the table says: {why}"


def test_there_are_enough_examples_of_each() -> None:
    found = [one[3] for one in EXAMPLES]
    assert len(found) >= 60
    assert min(found.count(conduct) for conduct in Conduct) >= 8


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("bobbin, mute", "mute"),
        ("@Bobbin: leave.", "leave."),
        ("bobbins are round", "bobbins are round"),
        ("why?", "why?"),
    ],
)
def test_the_bots_name_is_no_part_of_what_it_is_asked(text: str, left: str) -> None:
    assert said_to(text, ("bobbin",)) == left


@pytest.mark.parametrize(
    ("answer", "does"),
    [
        ("It is round. Which one do you mean?", True),
        ("Do you want A or B?\n\n1. A\n2. B", True),
        ("I can help. Please send me the log.", True),
        ("Dafür brauche ich mehr. Schick mir die Datei.", True),
        ("どれがいいですか？", True),
        ("It is round.", False),
        ("Why is it round? Because.\n\nIt was made so.\n\nOf wood.\n\nIn 1850.", False),
        ("Read https://example.org/?q=1 first.", False),
        ("```\na ? b : c\n```\nThat is all.", False),
        ("", False),
    ],
)
def test_whether_the_bot_has_asked(answer: str, does: bool) -> None:  # noqa: FBT001
    assert asks(answer) == does


@pytest.mark.parametrize(
    "text", ["ha" * 50_000 + "z", "https://a.example" + " " * 100_000 + "x", ":a" * 50_000, "-" * 100_000]
)
def test_no_message_keeps_the_rule_busy(text: str) -> None:
    """A pattern that tried all ways to read one of these would not come back."""
    assert decide(Situation(text, people=2)).reason
