"""The languages that the emulator has phrases in, and in which of them something is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tongue:
    """Phrases of a language; *words* are those by which it is known, and none of them is ever a topic."""

    opening: str
    about: str  # a sentence about a topic
    closing: str
    greeting: str
    welcome: str  # what is answered to thanks
    fine: str  # and to whoever asks how one is
    made_up: str
    words: frozenset[str]


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


TONGUES = {
    "french": Tongue(
        opening="Bien sûr !",
        about="Voici l'essentiel sur « {} ».",
        closing="N'hésitez pas à me demander la suite.",
        greeting="Bonjour ! Que puis-je faire pour vous ?",
        welcome="Avec plaisir !",
        fine="Aussi bien que peut aller un émulateur. Et vous ?",
        made_up="Inventé par l'émulateur.",
        words=_words(
            "le la les des du est une qui que quelle quel quels comment pourquoi pour dans avec pas vous je "
            "tu nous au aux bonjour bonsoir salut merci peux pouvez explique expliquez moi où sur ce cette "
            "et un qu'est-ce"
        ),
    ),
    "german": Tongue(
        opening="Gern!",
        about="Hier ist das Wichtigste zu „{}“.",
        closing="Fragen Sie einfach weiter.",
        greeting="Hallo! Was kann ich für Sie tun?",
        welcome="Gern geschehen!",
        fine="So gut, wie es einem Emulator gehen kann. Und Ihnen?",
        made_up="Vom Emulator erfunden.",
        words=_words(
            "der die das den dem des ist und nicht ein eine einen wie was warum wer wo ich du wir mit für "
            "auf von zu zum zur hallo guten danke bitte kannst können erkläre erklär mir über im"
        ),
    ),
    "spanish": Tongue(
        opening="¡Claro!",
        about="Esto es lo esencial sobre «{}».",
        closing="Pregúnteme lo que quiera.",
        greeting="¡Hola! ¿En qué puedo ayudarle?",
        welcome="¡De nada!",
        fine="Tan bien como puede estar un emulador. ¿Y usted?",
        made_up="Inventado por el emulador.",
        words=_words(
            "el los las una es qué cómo por para con hola gracias dónde cuál está porque puedes explica del "
            "y un me sobre"
        ),
    ),
    "italian": Tongue(
        opening="Certo!",
        about="Ecco l'essenziale su «{}».",
        closing="Mi chieda pure il resto.",
        greeting="Ciao! Come posso aiutarla?",
        welcome="Prego!",
        fine="Bene quanto può stare un emulatore. E lei?",
        made_up="Inventato dall'emulatore.",
        words=_words(
            "il gli è una che come perché per con ciao grazie dove quale sono puoi spiegami di del della e un lo mi su"
        ),
    ),
    "portuguese": Tongue(
        opening="Claro!",
        about="Aqui está o essencial sobre «{}».",
        closing="Pergunte o que quiser.",
        greeting="Olá! Como posso ajudar?",
        welcome="De nada!",
        fine="Tão bem quanto um emulador pode estar. E você?",
        made_up="Inventado pelo emulador.",
        words=_words(
            "os é uma que como por para com olá obrigado obrigada onde qual não você pode explique do da e um me sobre"
        ),
    ),
    "dutch": Tongue(
        opening="Natuurlijk!",
        about="Dit is het belangrijkste over ‘{}’.",
        closing="Vraag gerust verder.",
        greeting="Hallo! Wat kan ik voor u doen?",
        welcome="Graag gedaan!",
        fine="Zo goed als het een emulator kan gaan. En u?",
        made_up="Verzonnen door de emulator.",
        words=_words(
            "het een en niet hoe wat waarom ik je met voor hallo dank bedankt waar wie kun kunt van uit leg mij over de"
        ),
    ),
    "russian": Tongue(
        opening="Конечно!",
        about="Вот главное о «{}».",
        closing="Спрашивайте дальше.",
        greeting="Здравствуйте! Чем могу помочь?",
        welcome="Пожалуйста!",
        fine="Хорошо, насколько это возможно для эмулятора. А у вас?",
        made_up="Придумано эмулятором.",
        words=_words(
            "что как почему где кто это и в на с по для не я ты мы спасибо привет здравствуйте расскажи объясни о"
        ),
    ),
    "japanese": Tongue(
        opening="もちろんです。",
        about="「{}」について要点をお答えします。",
        closing="続きもどうぞお尋ねください。",
        greeting="こんにちは。ご用件をどうぞ。",
        welcome="どういたしまして。",
        fine="エミュレーターなりに元気です。そちらはいかがですか。",
        made_up="エミュレーターの作り話です。",
        words=_words(""),
    ),
    "chinese": Tongue(
        opening="好的。",
        about="关于“{}”，要点如下。",
        closing="欢迎继续提问。",
        greeting="你好！有什么可以帮您？",
        welcome="不客气！",
        fine="作为一个模拟器，还不错。你呢？",
        made_up="由模拟器编造。",
        words=_words(""),
    ),
}
_IN_ENGLISH = (
    "the is are was were what how why who where when which i you it of to and a an in for do does did can could that "
    "this with my your me we on at be have has not please tell show write give"
)
_ENGLISH = _words(_IN_ENGLISH)
_SCRIPTS = (("japanese", r"[\u3040-\u30ff]"), ("chinese", r"[\u4e00-\u9fff]"))
_THANKS = r"merci|danke\w*|vielen dank|gracias|grazie|obrigad[oa]|bedankt|dank je|спасибо|ありがとう|谢谢|thanks?|thank you|thx|cheers"
_HELLOS = r"bonjour|bonsoir|salut|hallo|guten (?:tag|morgen|abend)|hola|ciao|olá|привет|здравствуйте|こんにちは|你好"
_HOW_ARE_YOU = {
    "french": r"ça va|comment (?:allez|vas)[- ](?:vous|tu)",
    "german": r"wie geht(?:['’ ]?s| es)",
    "spanish": r"c[óo]mo est[áa]s?|qu[ée] tal",
    "italian": r"come (?:stai|sta|va)",
    "portuguese": r"como (?:vai|est[áa])|tudo bem",
    "dutch": r"hoe gaat het",
    "russian": r"как (?:(?:у \w+ )?дела|поживае\w+)",
    "japanese": r"(?:お)?元気ですか",
    "chinese": r"你好吗|你怎么样",
}
THANKS = re.compile(rf"^\W*(?:{_THANKS})\b[^?？]{{0,40}}$|^\W*(?:ありがとう|谢谢)", re.IGNORECASE)
HELLO = re.compile(rf"^\W*(?:{_HELLOS})\b[^?？]{{0,20}}$|^\W*(?:こんにちは|你好)\W*$", re.IGNORECASE)


def how_one_is(ask: str) -> str:
    """What is answered to whoever asks how one is, in their language; empty if *ask* is something else, or English."""
    for name, words in _HOW_ARE_YOU.items():
        if re.search(rf"^(?:[^?？]{{0,20}}\W)?(?:{words})(?:\s[^?？]{{0,12}})?\W*$", ask.strip(), re.IGNORECASE):
            return TONGUES[name].fine
    return ""


def tongue_of(ask: str) -> Tongue | None:
    """The language of *ask*, None if it is English or not known."""
    for name, script in _SCRIPTS:
        if re.search(script, ask):
            return TONGUES[name]
    words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", ask.lower())
    scores = {name: sum(word in tongue.words for word in words) for name, tongue in TONGUES.items()}
    best = max(scores, key=lambda name: scores[name])
    least = 1 if len(words) <= 2 else 2
    english = sum(word in _ENGLISH for word in words)
    return TONGUES[best] if scores[best] >= least and scores[best] > english else None
