"""Tells who set a model that the AI service has it no more: once, though every question notices."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core.access import is_bot
from core.chat import PLACE, notify
from core.errors import ChatError, StorageUnavailable, facts
from core.language import marked, say, speaking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.chat import Chat
    from core.preset import Choice
    from core.storage.ledger import Ledger
    from core.turn import Turn

TOLD_FOR = timedelta(days=30)  # in which it isn't told again of the same place and model

_INSTEAD = marked(
    "The AI service refuses the model `{model}`, which you set in {place}: it may have been taken off. For now, "
    "`{instead}` is asked in its place. To choose another, use `preset set model MODEL` there, or `model NAME` if it was "
    "for a thread alone."
)
_NOTHING = marked(
    "The AI service refuses the model `{model}`, which you set in {place}: it may have been taken off. For now, nothing "
    "answers in its place. To choose another, use `preset set model MODEL` there, or `model NAME` if it was for a thread "
    "alone."
)

log = structlog.get_logger(__name__)


async def tell(refused: Sequence[str], choice: Choice, turn: Turn, *, chat: Chat, ledger: Ledger) -> None:
    """Tell who set each of the *refused* models, as *turn* has shown them to be; in the log, if that was an operator.

    Once, over all processes; it is lost if this one ends in that moment, and the aside under each answer stays.
    """
    stands_in = turn.model if turn.model not in refused else ""
    for model in refused:
        origin = choice.origins.get("model")
        place = origin.place if origin and choice.model == model else ""  # fallbacks are the settings' own
        try:
            by, language = await ledger.preset_changed_by(place)
            if not await ledger.is_first(f"retired/{place if by else ''}/{model}", TOLD_FOR):
                continue
            if not by:
                log.error("the service refuses a model that the settings name", model=model)
            elif not is_bot(by):
                with speaking(language):
                    await notify(chat, by, turn.question.thread, _sentence(model, stands_in))
        except (ChatError, StorageUnavailable) as trouble:
            log.warning("nobody can be told that the service refuses a model", model=model, **facts(trouble))


def _sentence(model: str, stands_in: str) -> str:
    sentence = _INSTEAD if stands_in else _NOTHING
    return say(sentence, model=_plain(model), place=PLACE, instead=_plain(stands_in))


def _plain(model: str) -> str:
    return " ".join(model.split()).replace("`", "ˋ")
