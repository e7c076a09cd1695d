"""Is a file what its name says? Looks at how it begins; nobody else does before the AI service is sent there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.attachment import Kind

if TYPE_CHECKING:
    from core.attachment import Attachment

HEAD = 1024  # bytes that are looked at
HTML = "text/html"
# https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern; the third line is for heic, heif and avif.
_IMAGES: tuple[tuple[bytes, str], ...] = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"(?s:....)ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", "image/heic"),
    (rb"(?s:....)ftypavi[fs]", "image/avif"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF(?s:....)WEBP", "image/webp"),
    (rb"BM", "image/bmp"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)", "image/svg+xml"),
)
_LOOK_LIKE_IMAGES = frozenset(["png", "jpg", "jpeg", "gif", "webp", "bmp", "svg", "heic", "heif", "avif"])
_ZIP, _OLE = rb"PK\x03\x04", rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCUMENTS = {"pdf": rb"(?s:.*?)%PDF-"} | {
    suffix: begins
    for begins, suffixes in {
        _ZIP: "odt ods odp epub",
        # With a password, or from long ago, they are of the older kind, whatever their names.
        rb"(?:" + _ZIP + rb"|" + _OLE + rb")": "docx xlsx pptx doc xls ppt",
    }.items()
    for suffix in suffixes.split()
}
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|script|body)\b", re.IGNORECASE)


def image_type(head: bytes) -> str:
    """Return the media type of an image that begins with *head*, empty if it is none that is known here."""
    return next((media_type for begins, media_type in _IMAGES if re.match(begins, head)), "")


def is_genuine(attachment: Attachment, media_type: str, head: bytes) -> bool:
    """May what begins with *head*, and came as *media_type*, be *attachment*? In doubt, yes."""
    head = head[:HEAD]
    if attachment.kind is Kind.TEXT:
        # Whatever it is, it will be read as text or not at all; but a page may be a login's.
        return media_type != HTML or attachment.media_type in ("", HTML) or attachment.suffix in ("html", "htm")
    if media_type == HTML or _PAGE.match(head):
        return False
    if attachment.kind is Kind.IMAGE and attachment.suffix in {*_LOOK_LIKE_IMAGES, ""}:
        return bool(image_type(head))
    return bool(re.match(_DOCUMENTS.get(attachment.suffix, b""), head))
