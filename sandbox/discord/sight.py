"""The local Discord as people see it, as plain text."""

from typing import Any

from sandbox.discord.components import BUTTON, SELECTS, TEXT, each
from sandbox.discord.model import Flag, Message

Json = dict[str, Any]


def shown(message: Message) -> str:
    """The message as a person would see it in a terminal: text, embeds, files, buttons, reactions."""
    if message.deleted:
        return ""
    if message.is_thinking:
        return f"{message.author.name} is thinking…"
    embeds = [] if message.flags & Flag.SUPPRESS_EMBEDS else message.embeds
    lines = [
        message.content,
        *(_embed(embed) for embed in embeds),
        *(one["content"] for _, one in each(message.components) if one.get("type") == TEXT),
        *(f"📎 {one.file.name} ({len(one.file.content)} bytes)" for one in message.attachments),
        *_more(message.more),
        _controls(message.components),
        "  ".join(f"{emoji} {len(users)}" for emoji, users in message.reactions.items()),
        f"🧵 {message.thread.name}" if message.thread else "",
        "(only you can see this)" if message.is_ephemeral else "",
    ]
    text = "\n".join(line for line in lines if line)
    for written, name in message.names.items():
        text = text.replace(written, name)
    return text


def _more(more: Json) -> list[str]:
    poll, forwards = more.get("poll"), more.get("message_snapshots", [])
    return [
        *(f"🏷 {sticker['name']}" for sticker in more.get("sticker_items", [])),
        *([f"📊 {poll['question']['text']}"] if poll else []),
        *(line for forward in forwards for line in _forwarded(forward["message"])),
    ]


def _forwarded(message: Json) -> list[str]:
    files = [f"📎 {one['filename']} ({one['size']} bytes)" for one in message["attachments"]]
    return [f"↪ {line}" for line in [*message["content"].splitlines(), *files]]


def _embed(embed: Json) -> str:
    author, footer = embed.get("author") or {}, embed.get("footer") or {}
    lines = [
        author.get("name"),
        embed.get("title"),
        embed.get("description"),
        *(f"{field['name']}: {field['value']}" for field in embed.get("fields") or []),
        footer.get("text"),
    ]
    return "\n".join(f"▏ {part}" for line in lines if line for part in str(line).splitlines())


def _controls(components: list[Json]) -> str:
    words = []
    for _, one in each(components):
        if one.get("type") == BUTTON:
            emoji = (one.get("emoji") or {}).get("name") or ""
            label = f"{emoji} {one.get('label') or ''}".strip()
            words.append(f"({label})" if one.get("disabled") else f"[{label}]")
        elif one.get("type") in SELECTS:
            words.append(f"[{one.get('placeholder') or 'choose'} ▾]")
    return " ".join(words)
