"""The kinds of trouble a picture can bring, and what should become of each."""

from __future__ import annotations

from dataclasses import dataclass

PICTURE_HOSTS = ("photos.example", "cdn.pictures.example", "static.gallery.example", "images.museum.example")
TROUBLE_HOST = "trouble.example"
PRIVATE_HOST = "private.example"
UNKNOWN_HOST = "nowhere.example"


@dataclass(frozen=True)
class Kind:
    """What a crawl should make of a picture of this kind.

    ``format`` is that of the picture before it is spoiled; a ``costly`` kind takes time to fail.
    """

    outcome: str
    reason: str | None
    format: str = "jpeg"
    host: str = TROUBLE_HOST
    costly: bool = False


KINDS = {
    "404": Kind("failed", "http-404"),
    "html": Kind("failed", "not-an-image"),
    "cut-jpeg": Kind("failed", "truncated"),
    "empty": Kind("failed", "empty"),
    "redirects": Kind("stored", None),
    "cut-png": Kind("failed", "truncated", "png"),
    "unknown-host": Kind("failed", "connection", host=UNKNOWN_HOST),
    "403": Kind("failed", "http-403"),
    "svg": Kind("refused", "unsupported-format"),
    "no-eoi": Kind("failed", "truncated"),
    "robots": Kind("refused", "robots-txt", host=PRIVATE_HOST),
    "cut-gif": Kind("failed", "truncated", "gif-animated"),
    "closes-early": Kind("failed", "truncated"),
    "broken-png": Kind("failed", "broken", "png"),
    "bomb": Kind("refused", "too-many-pixels", "png"),
    "redirect-loop": Kind("failed", "too-many-redirects"),
    "503": Kind("failed", "http-503"),
    "slow": Kind("failed", "timeout", costly=True),
    "endless": Kind("refused", "too-large", costly=True),
}
"""By name, which is also what the path on the host starts with. ``redirects`` ends well, but not at its own address."""
