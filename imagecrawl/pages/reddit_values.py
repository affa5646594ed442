"""What Reddit's pages give: a listing of posts with their pictures, the same from every shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urljoin

from imagecrawl.pages.values import text_of, web_url

WWW = "https://www.reddit.com"
"""What relative addresses are joined with: of crossposts, permalinks and continuations."""


class Kind(StrEnum):
    """What a post is: the media of a crosspost are those of its parent, and so is its kind."""

    IMAGE = "image"
    """One picture, or the page of one at imgur."""
    GALLERY = "gallery"
    """Several pictures: Reddit's own gallery, or an album at imgur."""
    VIDEO = "video"
    LINK = "link"
    """A web page that is no picture."""
    TEXT = "text"
    """A self post: its pictures are those in its text."""
    POLL = "poll"
    CROSSPOST = "crosspost"
    """A crosspost whose parent the page does not show."""
    REMOVED = "removed"
    """Removed or deleted, by whomever, and nothing of it is left."""
    PROMOTED = "promoted"
    """An advertisement."""


class Skipped(StrEnum):
    """Why a post has no picture."""

    VIDEO = "video"
    NO_PICTURE = "no-picture"
    REMOVED = "removed"
    PROMOTED = "promoted"


_PICTURED = {Kind.IMAGE, Kind.GALLERY, Kind.CROSSPOST}
"""Kinds of posts that have pictures, whatever a page shows of them."""

_SKIPPED = {Kind.VIDEO: Skipped.VIDEO, Kind.REMOVED: Skipped.REMOVED, Kind.PROMOTED: Skipped.PROMOTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of a post. Every address is absolute and stands as Reddit gave it, signature included."""

    urls: tuple[str, ...]
    """Where it is, best first: the original, then previews."""
    preview_urls: tuple[str, ...] = ()
    """Those of ``urls`` that are Reddit's re-encoded copies; all of them where no original is known."""
    caption: str | None = None
    position: int = 1
    """Its place among the pictures of the post, from 1."""
    id: str | None = None
    """The name of its file at Reddit or imgur, without the extension."""

    @property
    def original(self) -> str | None:
        """Where the picture is as it was given to the site; ``None`` when only copies are known."""
        return next((url for url in self.urls if url not in self.preview_urls), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What a post shows."""

    kind: Kind
    pictures: tuple[Picture, ...] = ()
    more_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPage:
    """What the page of one post shows; ``None`` means that it does not say."""

    pictures: tuple[Picture, ...]
    kind: Kind | None = None
    nsfw: bool | None = None
    is_whole: bool = True
    """Whether these are all pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post. ``None`` means that the page does not say."""

    id: str
    """Without ``t3_``: ``1skii2f``."""
    title: str | None
    author: str | None
    """``None`` as well when the account was deleted."""
    subreddit: str | None
    score: int | None
    created: str | None
    """ISO 8601, UTC, whole seconds."""
    permalink: str | None
    """Absolute, at www.reddit.com."""
    flair: str | None
    nsfw: bool | None
    spoiler: bool | None
    stickied: bool
    kind: Kind
    pictures: tuple[Picture, ...]
    """All pictures, in order; what is known of them where there is a ``more_url``."""
    more_url: str | None
    """The page that shows all pictures, where this one does not: for ``parse_post_page``. ``None``: all is known."""

    @property
    def skipped(self) -> Skipped | None:
        """Why there is no picture, and no page to ask for one."""
        return None if self.pictures or self.more_url else _SKIPPED.get(self.kind, Skipped.NO_PICTURE)

    @property
    def is_gallery(self) -> bool:
        """Whether it has several pictures side by side, as far as is known; those in a text are no gallery."""
        return self.kind is Kind.GALLERY or (self.kind is Kind.CROSSPOST and len(self.pictures) > 1)

    def marked(self, nsfw: bool | None) -> Post:
        """The post with what another page says of it, or of what it shows: one that is for adults settles it."""
        return replace(self, nsfw=nsfw if self.nsfw is None else self.nsfw or nsfw is True)

    def completed(self, page: PostPage) -> Post:
        """The post with what the page behind its ``more_url`` shows, if that is anything."""
        if not page.pictures and page.kind in {None, *_PICTURED}:
            return self
        return replace(self, pictures=page.pictures, kind=page.kind or self.kind, more_url=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a page lists, in its order, each post once."""

    posts: list[Post]
    """May be empty: a page that lost all its posts is not the end of the listing."""
    after: str | None
    """The full name (``t3_...``) that the next page comes after, where the page says it; ``None`` at the end."""
    next_url: str | None
    """Absolute address of the next page; ``None`` at the end. A feed never says so: its last page is empty."""


def make_post(
    media: Media,
    *,
    name: str,
    title: Any,
    author: Any,
    subreddit: Any,
    created: str | None,
    permalink: Any,
    score: int | None = None,
    flair: Any = None,
    nsfw: bool | None = None,
    spoiler: bool | None = None,
    stickied: bool = False,
) -> Post:
    """A post of the values as the page has them."""
    named = text_of(author)
    return Post(
        id=name,
        title=text_of(title),
        author=None if named == "[deleted]" else named,
        subreddit=text_of(subreddit),
        score=score,
        created=created,
        permalink=absolute(permalink),
        flair=text_of(flair),
        nsfw=nsfw,
        spoiler=spoiler,
        stickied=stickied,
        kind=media.kind,
        pictures=media.pictures,
        more_url=media.more_url,
    )


def make_listing(posts: Iterable[Post], *, after: str | None, next_url: str | None) -> Listing:
    """A listing in which every post stands once."""
    distinct: dict[str, Post] = {}
    for post in posts:
        distinct.setdefault(post.id, post)
    return Listing(posts=[*distinct.values()], after=after, next_url=next_url)


def numbered(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    """Each picture once, with its place."""
    distinct: dict[str, Picture] = {}
    for picture in pictures:
        distinct.setdefault(picture.id or picture.urls[0], picture)
    return tuple(replace(picture, position=place) for place, picture in enumerate(distinct.values(), start=1))


def post_id(fullname: str | None) -> str | None:
    """The id in ``t3_<id>``; ``None`` for the names of other things.

    >>> post_id("t3_1skii2f"), post_id("t5_2zmfe")
    ('1skii2f', None)
    """
    kind, _, name = (fullname or "").strip().partition("_")
    return name if kind == "t3" and name.isalnum() and name.isascii() else None


def absolute(address: Any, base: str = WWW) -> str | None:
    """An address of a page as an absolute one; ``None`` for what is no web address."""
    said = text_of(address)
    try:
        return web_url(urljoin(base, said)) if said else None
    except ValueError:
        return None


def moment(seconds: Any) -> str | None:
    """Seconds since 1970 as ISO 8601.

    >>> moment(1776102889.0)
    '2026-04-13T17:54:49Z'
    """
    try:
        return _iso(datetime.fromtimestamp(float(seconds), UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def moment_of(text: str | None) -> str | None:
    """A time of Atom or HTML as ISO 8601 in UTC.

    >>> moment_of("2026-07-31T12:03:50.281000+0000")
    '2026-07-31T12:03:50Z'
    """
    try:
        said = datetime.fromisoformat((text or "").strip())
        return _iso(said.astimezone(UTC)) if said.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _iso(when: datetime) -> str:
    return when.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def whole_number(text: str | None) -> int | None:
    """The number that an attribute holds: scores may be negative, or hidden."""
    said = (text or "").strip()
    return int(said) if said.removeprefix("-").isdecimal() and len(said) < 20 else None
