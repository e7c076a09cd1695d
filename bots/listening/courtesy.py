"""Words without a wish: thanks, nods, laughter, emoji, in some of the languages that people write; and questions of our own.

The lists are short on purpose: what they don't know is taken for something that may be meant.
"""

from __future__ import annotations

import re

_MOST = 8  # words


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_THANKS = _words(
    "thanks thank thx ty tysm cheers danke dankeschön merci gracias obrigado obrigada grazie dank bedankt tack takk "
    "tak kiitos dziękuję dzięki díky спасибо дякую teşekkürler ευχαριστώ شكرا תודה"
)
_NODS = _words(
    "ok okay k kk alright great perfect perfekt nice cool awesome super top prima klasse brilliant excellent lovely "
    "amazing wow yay yep yup yes yeah ja oui si sí sim да sure right exactly genau stimmt noted gotcha vale genial "
    "parfait perfecto perfeito perfetto lol lmao rofl mdr hmm hm ah oh hello hi hey hallo hola bonjour salut ciao "
    "moin morning np супер понятно отлично"
)
# They only go with the others.
_BESIDE = _words(
    "a all everyone for good got is it it's lot many much of so that that's thats the this u very you your work "
    "works worked help helps helped one job well done das dir euch sehr viel vielen schön hat hilft geholfen gut "
    "alles klar beaucoup bien à tous muchas muito mille molte mucho большое je wel"
)
_CJK = re.compile(
    "(?:どうも)?(?P<thanks>ありがとう(?:ございま(?:す|した))?|谢谢[你您]?|謝謝[你您]?|多谢|감사(?:합니다|해요)|고마워요?|고맙습니다)"
    "|了解(?:です|しました)?|好的?|收到|はい|네|笑|ㅋ+|w+|哈+"
)
_LAUGHTER = re.compile(r"ha|[ha]{4,}|[he]{3,}|[hi]{4,}|[ja]{4,}|[ха]{4,}|[lo]{3,}|x+d+")
_SIGNS = re.compile(r"<a?:\w+:\d+>|:[\w+'-]+:|\+1\b")  # emoji of a server or workspace, and what means one
_WORD = re.compile(r"[\w'’]+")

_CODE = re.compile(r"```.*?(?:```|$)|`[^`\n]+`|https?://\S+", re.DOTALL)
_LAST_LINES = 3
_REQUEST = re.compile(
    r"\b(?:let me know|tell me|send me|show me|please (?:share|send|paste|provide|upload|choose|pick|confirm|reply)|"
    r"sag mir|schick mir|bitte (?:sende|schicke|nenne|wähle)|dites?-moi|envoyez-moi|dime|envíame)\b",
    re.IGNORECASE,
)


def is_courtesy(text: str) -> bool:
    """Is there nothing in *text* that wants an answer? A question does, whatever its words."""
    left = _SIGNS.sub(" ", text).lower()
    if re.search("[?？؟]", left):
        return False
    if _CJK.fullmatch(re.sub(r"[\W_]+", "", left)):
        return True
    words = _WORD.findall(left.replace("’", "'"))
    if not words:
        return True  # emoji, or signs
    is_known = all(word in _THANKS | _NODS | _BESIDE or _LAUGHTER.fullmatch(word) for word in words)
    return len(words) <= _MOST and is_known and not all(word in _BESIDE for word in words)


def is_thanks(text: str) -> bool:
    """Are there words of thanks in *text*?"""
    if hit := _CJK.fullmatch(re.sub(r"[\W_]+", "", text)):
        return hit["thanks"] is not None
    return any(word in _THANKS for word in _WORD.findall(text.lower()))


def asks(answer: str) -> bool:
    """Does *answer*, of which this is the end, want to be answered?"""
    lines = [line for line in _CODE.sub(" ", answer).splitlines() if line.strip()]
    end = "\n".join(lines[-_LAST_LINES:])
    return re.search("[?？؟]", end) is not None or _REQUEST.search(end) is not None
