"""The form in which people ask: what it shows, what it keeps until it is sent, and reading what was filled in. Pure.

https://docs.slack.dev/surfaces/modals
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from bots.slack.ids import is_ts
from bots.text.cut import shortened
from core.language import marked, say
from core.preset import DEFAULT
from core.words import is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORM = "ask"  # its callback_id
ABOUT_MESSAGE, ANYWHERE = "ask_about_message", "ask_anywhere"  # those of the shortcuts
QUESTION, PRESET, CHANNEL, AUDIENCE = "question", "preset", "channel", "audience"  # its blocks; each has one element
HERE, PRIVATE = "here", "private"  # who is to see the answer

# https://docs.slack.dev/reference/views/modal-views; what is counted are characters of the JSON.
_MOST_KEPT = 3_000
_MOST_TYPED = 3_000  # https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
# https://docs.slack.dev/reference/block-kit/composition-objects/option-object
_MOST_OPTIONS, _OPTION_TEXT = 100, 75
_ABOUT_A_MESSAGE = marked("Explain this message.")
OUTDATED = marked("This form is out of date. Please close it and open it again.")
EMPTY = marked("Please write a question.")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a form was opened for."""

    channel: str = ""  # where the answer is to be seen; empty: chosen in the form
    thread_ts: str = ""  # empty: in a thread of its own
    message_ts: str = ""  # of the message that is asked about; empty: of none
    text: str = ""  # what it says, or the beginning of that
    is_ours: bool = False  # did the bot say it?


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent."""

    id: str  # however often it is sent, it is one question
    text: str
    user: str
    name: str
    subject: Subject = Subject()  # frozen
    preset: str = ""
    is_private: bool = False


class WrongFormError(Exception):
    """What to write into the form, and under which block."""

    def __init__(self, block: str, sentence: str) -> None:
        super().__init__(sentence)
        self.errors = {block: sentence}


def form(subject: Subject, presets: Sequence[str]) -> dict[str, Any]:
    """Return the form for asking about *subject*, with a choice among *presets*."""
    words: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": QUESTION,
        "multiline": True,
        "max_length": _MOST_TYPED,
    }
    if subject.message_ts:
        words["initial_value"] = say(_ABOUT_A_MESSAGE)
    blocks = [_input(QUESTION, say("Your question"), words)]
    if not subject.channel:
        # https://docs.slack.dev/reference/block-kit/block-elements/multi-select-menu-element#conversation_multi_select
        among = {"include": ["public", "private", "mpim"], "exclude_bot_users": True}
        channel = {"type": "conversations_select", "action_id": CHANNEL, "filter": among}
        blocks.append(
            _input(CHANNEL, say("Channel"), channel | {"default_to_current_conversation": True}, is_optional=True)
        )
    is_direct = subject.channel.startswith("D")
    here = say("In this conversation, for everyone") if is_direct else say("In the channel, for everyone")
    here = say("In the message's thread, for everyone") if subject.message_ts else here
    audience = [_option(here, HERE), _option(say("Only for me, in our direct messages"), PRIVATE)]
    blocks.append(
        _input(
            AUDIENCE,
            say("Who sees question and answer?"),
            {"type": "radio_buttons", "action_id": AUDIENCE, "options": audience, "initial_option": audience[0]},
        )
    )
    names = [name for name in presets if name != DEFAULT and len(name) <= _OPTION_TEXT][:_MOST_OPTIONS]
    if names:
        choice: dict[str, Any] = {
            "type": "static_select",
            "action_id": PRESET,
            "options": [_option(name, name) for name in names],
        }
        choice["placeholder"] = _plain(say("The one that is set there"))
        blocks.append(_input(PRESET, say("Preset"), choice, is_optional=True))
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": _plain(say("Ask Bobbin")),
        "submit": _plain(say("Ask")),
        "close": _plain(say("Cancel")),
        "private_metadata": _kept(subject),
        "blocks": blocks,
    }


def read_form(body: Mapping[str, Any]) -> Filled:
    """Raises WrongFormError for what people can put right, and something else for what is no form of ours.

    https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload#view_submission
    """
    view, user = body["view"], body["user"]
    if not all(isinstance(one["id"], str) and one["id"] for one in (view, user)):
        raise TypeError
    values = view["state"]["values"]
    subject = _subject(view["private_metadata"])
    text = _value(values, QUESTION).get("value") or ""
    if not isinstance(text, str) or is_blank(text):
        raise WrongFormError(QUESTION, say(EMPTY))
    chosen = _value(values, CHANNEL).get("selected_conversation")
    is_private = _chosen(values, AUDIENCE) != HERE
    if not subject.channel and isinstance(chosen, str) and chosen:
        subject = Subject(channel=chosen)
    if not subject.channel and not is_private:
        raise WrongFormError(CHANNEL, say("Please choose a channel, or ask only for yourself."))
    name = user.get("name") or user.get("username") or ""
    return Filled(
        id=view["id"],
        text=text,
        user=user["id"],
        name=str(name),
        subject=subject,
        preset=_chosen(values, PRESET),
        is_private=is_private,
    )


def _kept(subject: Subject) -> str:
    """Return *subject* as it is kept in the form, with as much of the text as there is room for."""
    room = _MOST_KEPT
    while True:
        kept = json.dumps(asdict(subject) | {"text": shortened(subject.text, room)}, ensure_ascii=False)
        if len(kept) <= _MOST_KEPT:
            return kept
        room = max(0, room - (len(kept) - _MOST_KEPT))


def _subject(kept: object) -> Subject:
    """Raises WrongFormError for what no form of this version keeps."""
    try:
        read = json.loads(kept) if isinstance(kept, str) else None
        subject = Subject(**read)  # type: ignore[arg-type]  # looked at below
    except (ValueError, TypeError, RecursionError):
        raise WrongFormError(QUESTION, say(OUTDATED)) from None
    times = (one for one in (subject.thread_ts, subject.message_ts) if one != "")
    are_well = all(type(getattr(subject, one.name)) is type(one.default) for one in fields(Subject))
    if not are_well or not all(map(is_ts, times)) or "/" in subject.channel:
        raise WrongFormError(QUESTION, say(OUTDATED))
    return subject


def _value(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = (values.get(name) or {}).get(name)
    return value if isinstance(value, dict) else {}


def _chosen(values: Mapping[str, Any], name: str) -> str:
    option = _value(values, name).get("selected_option")
    value = option.get("value") if isinstance(option, dict) else ""
    return value if isinstance(value, str) else ""


def _input(name: str, label: str, element: dict[str, Any], *, is_optional: bool = False) -> dict[str, Any]:
    return {"type": "input", "block_id": name, "label": _plain(label), "element": element, "optional": is_optional}


def _option(label: str, value: str) -> dict[str, Any]:
    return {"text": _plain(label), "value": value}


def _plain(words: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": words}
