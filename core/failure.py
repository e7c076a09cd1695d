"""Ends a turn that failed: what people read of the error, and whether and when another try helps. Pure, but for the log."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import structlog

from core.asking.limits import refuses_token
from core.errors import facts, referring
from core.language import say
from core.upstream.errors import BadRequest, ConversationTooLarge, ModelRefused, UpstreamCut, UpstreamError

if TYPE_CHECKING:
    from core.errors import BobbinError
    from core.turn import Turn

log = structlog.get_logger(__name__)

SHORTEST_TOLD = 5.0  # seconds that people are told to wait


def failed(turn: Turn, error: BobbinError, *, contact: str, has_files: bool, has_earlier: bool) -> Turn:
    """Return *turn* as it ends by *error*.

    *contact*: whom people should tell of what only an operator can mend. *has_files*, *has_earlier*: was the service given
    files with the question, and had the thread earlier turns?
    """
    # A token that is refused has been said loudly once, and would be here once a question.
    loud = isinstance(error, UpstreamError) and error.for_operator and not refuses_token(error)
    log.log(40 if loud else 30, "a turn fails", **facts(error))
    told = turn if turn.answer else turn.remark("")  # nobody waits any more, and no other model stepped in
    sentence = _sentence(error, has_begun=bool(turn.answer), has_files=has_files, has_earlier=has_earlier)
    problem = referring(sentence, turn.reference, contact if error.sends_on else "")
    wait = error.helps_in if isinstance(error, UpstreamError) and error.may_pass else 0.0
    helps_at = math.ceil(time.time() + wait) if wait >= SHORTEST_TOLD else 0
    return told.fail(problem, is_final=not error.may_pass, helps_at=helps_at)


def _sentence(error: BobbinError, *, has_begun: bool, has_files: bool, has_earlier: bool) -> str:
    """Return what people read of *error*: nothing of earlier turns, attachments or a beginning that aren't there."""
    match error:
        case UpstreamCut() if not has_begun:
            return say(error.bare)
        case ConversationTooLarge() if not (has_files or has_earlier):
            return say(error.bare)
        case BadRequest() if not (has_files or isinstance(error, ModelRefused)):
            return say(error.bare)
    return error.sentence
