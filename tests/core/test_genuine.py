from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.attachment import file
from core.genuine import image_type, is_genuine

PAGE = b"<!DOCTYPE html>\n<title>Sign in</title>"
ZIP, OLE = b"PK\x03\x04" + bytes(30), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(30)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n\0"),
        ("a.jpg", b"\xff\xd8\xff\xe0"),
        ("a.gif", b"GIF89a"),
        ("a.webp", b"RIFF\1\2\3\4WEBPVP8 "),
        ("a.bmp", b"BM\1\2"),
        ("a.heic", b"\0\0\0\x18ftypheic"),
        ("a.svg", b'<?xml version="1.0"?>\n<svg/>'),
        ("a.svg", b"\n<svg xmlns='x'/>"),
        ("a.png", b"\xff\xd8\xff\xe0"),  # of another kind than its name says, but an image
        ("a.psd", b"8BPS"),  # nothing is known of these
        ("a", b"\x89PNG\r\n\x1a\n"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.pdf", b"\xef\xbb\xbf\n%PDF-1.7"),
        ("a.docx", ZIP),
        ("a.docx", OLE),
        ("a.doc", OLE),
        ("a.zip", ZIP),
        ("a.xyz", b"whatever"),
        ("notes.txt", b"<html> is how a page begins"),
    ],
)
def test_what_is_as_it_says(name: str, head: bytes) -> None:
    media_type = "image/x" if name in ("a", "a.psd") else ""
    assert is_genuine(file(name, media_type, None), "", head)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.png", PAGE),
        ("a.png", b"MZ\x90\0"),
        ("a.png", b"plain words"),
        ("a.png", b""),
        ("a.svg", b"<svgx"[:3]),
        ("a.jpeg", ZIP),
        ("a.pdf", PAGE),
        ("a.pdf", ZIP),
        ("a.docx", b"%PDF-1.7"),
        ("a.docx", PAGE),
        ("a.xyz", PAGE),
        ("a.xyz", b"\xef\xbb\xbf  <HTML>"),
    ],
)
def test_what_is_not(name: str, head: bytes) -> None:
    assert not is_genuine(file(name, "", None), "", head)


def test_a_page_is_for_those_who_expect_one() -> None:
    assert is_genuine(file("a.html", "text/html", None), "text/html", PAGE)
    assert not is_genuine(file("a.txt", "text/plain", None), "text/html", PAGE)
    assert not is_genuine(file("a.xyz", "", None), "text/html", b"x")


@given(st.binary(max_size=2_000), st.sampled_from(["a.png", "a.pdf", "a.docx", "a.txt", "a.xyz", "a"]))
def test_whatever_comes_is_survived(head: bytes, name: str) -> None:
    is_genuine(file(name, "", None), "", head)
    assert image_type(head) == "" or image_type(head).startswith("image/")
