"""A post of Reddit and its pictures: where they are, what their bytes are, and what should become of each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.replica.pictures import FORMATS, PictureAddress, Size
from tests.replica.spoiled import spoil

WWW = "https://www.reddit.com"
NOW = 1_792_000_000
"""What time it is on Reddit, for ``t=``. No post is younger."""

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Trap:
    """What a crawl should make of a picture that cannot be had, and how its bytes are spoiled, if there are any."""

    reason: str
    spoiler: str = ""


TRAPS = {
    "removed": Trap("removed"),
    "html": Trap("not-an-image", "html"),
    "cut": Trap("truncated", "cut-jpeg"),
    "empty": Trap("empty", "empty"),
}
"""By name. ``removed`` is a 404, on imgur a redirect to its placeholder."""


@dataclass(frozen=True)
class Picture:
    """A picture of a post. ``url`` is the address of the original, which a crawl should come to.

    ``state`` is that of an item of a gallery: ``valid``, ``deleted``, ``failed`` or ``video``; ``unlisted`` is one of
    an album whose page does not list it. ``preview`` says whether Reddit has its own copy: ``yes``, ``no``, or ``gone``
    if there is an address and nothing behind it.
    """

    id: str
    url: str
    form: str
    size: Size
    caption: str = ""
    link: str = ""
    state: str = "valid"
    trap: str = ""
    preview: str = "yes"

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.url.rpartition("/")[2].partition("?")[0]

    @property
    def extension(self) -> str:
        """The extension of its address, which need not be true."""
        return self.name.rpartition(".")[2]

    @property
    def mime(self) -> str:
        """The type of its whole bytes."""
        return FORMATS[self.form].mime

    @property
    def whole(self) -> bytes:
        """Its bytes before anything spoils them."""
        return (_address(self.url) or PictureAddress(self.form, self.size, self.id)).picture()

    @property
    def body(self) -> bytes:
        """What its address sends; nothing if it is gone."""
        if not self.trap:
            return self.whole
        return spoil(TRAPS[self.trap].spoiler, self.whole) if TRAPS[self.trap].spoiler else b""

    @property
    def is_animated(self) -> bool:
        """Whether it moves."""
        return self.form == "gif-animated"

    @property
    def reason(self) -> str | None:
        """Why the original cannot be had."""
        return TRAPS[self.trap].reason if self.trap else None

    @property
    def outcome(self) -> str:
        """What a crawl should make of the original."""
        return "failed" if self.trap else "stored"

    @property
    def outcome_with_previews(self) -> str:
        """What a crawl should make of it if it may take Reddit's copy instead. The reason stays."""
        return "failed" if self.trap and self.preview != "yes" else "stored"

    @property
    def preview_url(self) -> str:
        """The signed address of Reddit's copy in full size, empty if there is none."""
        if self.preview == "no":
            return ""
        return self.scaled_url(**self.still_format)

    @property
    def still_format(self) -> dict[str, str]:
        """What the address of a copy says of its format: of an animation it is a still."""
        return {"format": "png8"} if self.extension == "gif" else {"auto": "webp"}

    def scaled_url(self, words: str = "", **query: str | int) -> str:
        """The signed address of a copy; ``words`` are those that HTML and feeds put into its name."""
        if self.url.startswith("https://i.redd.it/"):
            name = f"{words}-v0-{self.name}" if words else self.name
            return signed("preview.redd.it", f"/{name}", query)
        return signed("external-preview.redd.it", f"/{preview_hash(self.url)}.{self.extension}", query)

    def scaled_size(self, width: int) -> Size:
        """Its size when it is ``width`` wide."""
        return width, max(1, round(self.size[1] * width / self.size[0]))


@dataclass(frozen=True)
class Post:
    """A post. ``kind`` is one of KINDS.

    ``media`` are all items in order, ``pictures`` those a crawl should get. ``still`` is Reddit's picture of a video
    or a page, no picture of the post. A post that is ``gone`` counts where a listing is cut into pages, and is not
    shown; a ``promoted`` one is an advertisement of HTML pages. ``hinted`` is false for a post without ``post_hint``
    and ``preview``, ``expando`` for one whose block old.reddit.com keeps for the page of comments.
    """

    id: str
    subreddit: str
    kind: str
    title: str
    link: str = ""
    media: tuple[Picture, ...] = ()
    author: str = "replica_painter"
    score: int = 1
    comments: int = 0
    created: int = NOW
    ratio: float = 0.9
    flair: str = ""
    nsfw: bool = False
    spoiler: bool = False
    stickied: bool = False
    locked: bool = False
    hinted: bool = True
    expando: bool = True
    removed_by: str = ""
    text: str = ""
    parent: Post | None = None
    still: Picture | None = None
    gone: bool = False
    promoted: bool = False

    @property
    def name(self) -> str:
        """Its full name."""
        return f"t3_{self.id}"

    @property
    def slug(self) -> str:
        """The words of its title, as addresses write them."""
        return re.sub("[^a-z0-9]+", "_", self.title.lower()).strip("_")[:50] or "post"

    @property
    def permalink(self) -> str:
        """The path of its page."""
        return f"/r/{self.subreddit}/comments/{self.id}/{self.slug}/"

    @property
    def is_self(self) -> bool:
        """Whether it is a text of its own."""
        return self.kind in {"self", "text", "poll"}

    @property
    def url(self) -> str:
        """Where it leads, as the API writes it: relative for crossposts."""
        match self.kind:
            case "self" | "text" | "poll":
                return WWW + self.permalink
            case "gallery":
                return f"{WWW}/gallery/{self.id}"
            case "crosspost" if not self.link:
                assert self.parent
                return self.parent.permalink
            case _:
                return self.link or self.media[0].url

    @property
    def domain(self) -> str:
        """The host it leads to, as Reddit names it."""
        match self.kind:
            case "self" | "text" | "poll":
                return f"self.{self.subreddit}"
            case "gallery":
                return "reddit.com"
            case "crosspost" if not self.link:
                return ""
            case _:
                return self.url.split("/")[2]

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures a crawl should get, in order; those of a crosspost are its parent's."""
        return tuple(picture for picture in (self.parent or self).media if picture.state == "valid")

    @property
    def is_partly_known(self) -> bool:
        """Whether it has more pictures than any page tells, which a crawl should say in one more line."""
        return any(picture.state == "unlisted" for picture in (self.parent or self).media)

    @property
    def preview(self) -> Picture | None:
        """The picture that Reddit previews it with."""
        if not self.hinted or self.kind == "gallery":
            return None
        if self.kind in {"image", "external", "imgur", "gifv", "imgur-page"}:
            return next((picture for picture in self.media if picture.preview != "no"), None)
        return self.still


KINDS = {
    "image": "a file on i.redd.it",
    "gallery": "several files on i.redd.it",
    "crosspost": "the media of another post",
    "self": "a text with pictures in it",
    "external": "a picture on another host",
    "imgur": "a file on imgur",
    "gifv": "a page on imgur about an animation",
    "imgur-page": "a page on imgur about one picture",
    "imgur-album": "an album on imgur, whose pictures only its own page tells",
    "video": "a video on v.redd.it",
    "link": "a page elsewhere",
    "text": "a text",
    "poll": "a poll",
}


def reddit_picture(seed: str, form: str = "jpeg", extension: str = "", **facts: Any) -> Picture:
    """A picture on i.redd.it."""
    name = media_id(seed)
    return _picture(name, f"https://i.redd.it/{name}.{extension or FORMATS[form].extension}", form, facts)


def imgur_picture(seed: str, form: str = "jpeg", extension: str = "", **facts: Any) -> Picture:
    """A picture on imgur."""
    name = imgur_id(seed)
    return _picture(name, f"https://i.imgur.com/{name}.{extension or FORMATS[form].extension}", form, facts)


def external_picture(seed: str, host: str, form: str = "jpeg", query: str = "", **facts: Any) -> Picture:
    """A picture on one of the other picture hosts of the replica, or on one that does not know it."""
    address = PictureAddress(form, _size(seed, form), seed)
    url = f"https://{host}{address.path(FORMATS[form].extension)}{query}"
    if facts.get("trap"):
        url = f"https://{host}/lost/{seed}.{FORMATS[form].extension}"
    return _picture(media_id(seed), url, form, facts)


def _picture(name: str, url: str, form: str, facts: dict[str, Any]) -> Picture:
    found = _address(url)
    return Picture(name, url, form, found.size if found else _size(name, form), **facts)


def _address(url: str) -> PictureAddress | None:
    return PictureAddress.parse(urlsplit(url).path)


def _size(seed: str, form: str) -> Size:
    width = min(320 + _number(f"width {seed}", 320), FORMATS[form].max_width)
    return width, 240 + _number(f"height {seed}", 160)


def media_id(seed: str) -> str:
    """The name of a file on i.redd.it or v.redd.it."""
    return _letters(f"media {seed}", 13)


def imgur_id(seed: str) -> str:
    """The name of a file on imgur; a letter comes last that does not ask for a thumbnail."""
    return _letters(f"imgur {seed}", 5).capitalize() + "xQ"


def preview_hash(url: str) -> str:
    """The name of Reddit's copy of a picture elsewhere."""
    return _letters(f"external {url}", 43)


def signed(host: str, path: str, query: dict[str, str | int]) -> str:
    """The address of a copy, with its signature."""
    written = f"{path}?{urlencode(query)}"
    return f"https://{host}{written}{'&' if query else ''}s={signature(host, written)}"


def signature(host: str, written: str) -> str:
    """The signature of a path and a query."""
    return hashlib.sha1(f"replica {host} {written.rstrip('&?')}".encode()).hexdigest()


def base36(number: int) -> str:
    """A number as Reddit writes its ids."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _ALPHABET[digit] + digits
    return digits or "0"


def _letters(seed: str, length: int) -> str:
    return base36(int.from_bytes(hashlib.sha256(seed.encode()).digest()))[-length:]


def _number(seed: str, below: int) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6]) % below
