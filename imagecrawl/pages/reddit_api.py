"""What is needed to ask oauth.reddit.com: the token."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError
from imagecrawl.pages.reddit_listings import decode
from imagecrawl.pages.reddit_posts import mapping
from imagecrawl.pages.reddit_walls import explain_json, explain_page
from imagecrawl.pages.values import parse_document, text_of

TOKEN_URL = "https://www.reddit.com/api/v1/access_token"  # noqa: S105  # an address
"""Where a token is asked for, by POST."""
TOKEN_FORM = "application/x-www-form-urlencoded"  # noqa: S105  # a media type
"""The type of what is sent there."""

_INSTALLED = "https://oauth.reddit.com/grants/installed_client"
_DEVICE = "DO_NOT_TRACK_THIS_DEVICE"

SHORTEST_LIFETIME = 3600
"""Seconds: what tokens lived in 2016, taken where an answer does not say; it was 86400 from 2023 to 2026."""

_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Permission to ask oauth.reddit.com, sent as ``Authorization: bearer <value>``."""

    value: str = field(repr=False)
    lifetime: float
    """Seconds from now."""


def token_form(*, has_secret: bool) -> str:
    """What is sent to :data:`TOKEN_URL`, as a form: an app without a secret is an installed one."""
    return urlencode(
        {"grant_type": "client_credentials"} if has_secret else {"grant_type": _INSTALLED, "device_id": _DEVICE}
    )


def parse_token(text: str, *, status: int = 200) -> Token:
    """The token in an answer of the token endpoint.

    Raises PageBlockedError with the error that the answer names, which comes with status 200 too; PageChangedError for
    an answer without either. No message holds a token.
    """
    if not text.lstrip().startswith("{"):
        raise explain_page(parse_document(text), text, url=TOKEN_URL, status=status)
    said = mapping(decode(text, url=TOKEN_URL))
    if "error" in said and not isinstance(said["error"], int):
        words = ": ".join(filter(None, (text_of(said.get(key)) for key in ("error", "error_description"))))
        raise PageBlockedError(Obstacle.CREDENTIALS, f"Reddit gives no token: {words[:200]}", ends_crawl=True)
    if "error" in said or status >= 400:
        raise explain_json(said, url=TOKEN_URL, status=status)
    value, lifetime = said.get("access_token"), said.get("expires_in")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise PageChangedError("Reddit's answer holds no token")
    if not isinstance(lifetime, int | float) or not 0 < lifetime < math.inf:
        lifetime = SHORTEST_LIFETIME
    return Token(value=value, lifetime=float(lifetime))
