"""Looks at the files that the emulator is referred to: fetches them, from this machine only, and describes them."""

from __future__ import annotations

import struct
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

LARGEST = 25_000_000  # bytes: https://docs.acedata.cloud/en/faq/storage
PATIENCE = 10.0  # seconds for one file
LONGEST_LINE = 80  # characters of a text that are repeated
_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# By the end of its address the service takes a reference for an image or a document:
# https://docs.acedata.cloud/en/guides/aichat/aichat2_conversations
_IMAGES = ("jpg", "jpeg", "png", "gif", "bmp", "webp", "svg", "heic", "heif")


async def look(references: tuple[str, ...]) -> tuple[str, ...]:
    """Describe each in a few words, as `picture.png (image/png, 120×80, 3 kB)`."""
    if not references:
        return ()
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        return tuple([await _described(session, reference) for reference in references])


async def _described(session: aiohttp.ClientSession, reference: str) -> str:
    name = _name(reference)
    if _host(reference) not in _HOSTS:
        return f"`{name}`"  # the world is not for an emulator
    try:
        async with session.get(URL(reference, encoded=True), allow_redirects=False) as response:
            content = await response.content.read(LARGEST + 1)
            while len(content) <= LARGEST and (more := await response.content.read(LARGEST)):
                content += more
            if response.status != 200:
                return f"`{name}` (which I could not open: {response.status})"
            return f"`{name}` ({_about(reference, response.content_type, content)})"
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return f"`{name}` (which I could not open: {type(error).__name__})"


def _about(reference: str, media_type: str, content: bytes) -> str:
    if len(content) > LARGEST:
        return "too large"
    is_image = reference.lower().endswith(tuple(f".{suffix}" for suffix in _IMAGES))
    parts = [media_type]
    if is_image:
        size = size_of(content)
        parts.append(f"{size[0]}×{size[1]}" if size else "an image that I can't read")
    elif media_type.startswith("image/"):
        parts.append("taken for a document")
    parts.append(f"{len(content)} bytes" if len(content) < 1000 else f"{len(content) / 1000:.0f} kB")
    if media_type.startswith("text/"):
        parts.append(first_line(content.decode("utf-8", "replace")))
    return ", ".join(parts)


def first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f"it begins: “{line[:LONGEST_LINE]}{'…' if len(line) > LONGEST_LINE else ''}”" if line else "it is empty"


def size_of(image: bytes) -> tuple[int, int] | None:
    """Return how wide and how high an image is, None for what is none that is known here."""
    if image.startswith(b"\x89PNG\r\n\x1a\n") and len(image) >= 24:  # https://www.w3.org/TR/png/#11IHDR
        width, height = struct.unpack(">II", image[16:24])
        return width, height
    if image[:6] in (b"GIF87a", b"GIF89a") and len(image) >= 10:
        width, height = struct.unpack("<HH", image[6:10])
        return width, height
    return _size_of_jpeg(image) if image.startswith(b"\xff\xd8") else None


def _size_of_jpeg(image: bytes) -> tuple[int, int] | None:
    """https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.2.2: the frame's header comes after others, each with its length."""
    at = 2
    while at + 9 < len(image) and image[at] == 0xFF:
        marker, length = image[at + 1], int.from_bytes(image[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", image[at + 5 : at + 9])
            return width, height
        at += 2 + max(length, 2)
    return None


def _host(reference: str) -> str:
    try:
        return urlsplit(reference).hostname or ""
    except ValueError:
        return ""


def _name(reference: str) -> str:
    try:
        return unquote(urlsplit(reference).path.rpartition("/")[2]) or reference
    except ValueError:
        return reference
