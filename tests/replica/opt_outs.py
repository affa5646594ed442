"""A gallery whose pages and pictures say, each in its own way, that they are not to be used; and what of it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.replica.exchange import Answer, Request, Site, not_found, page, redirect, robots_txt
from tests.replica.pictures import PictureAddress

HOST = "www.opt-outs.example"
IMAGE_HOST = "img.opt-outs.example"
RESERVED_HOST = "reserved.opt-outs.example"
START = f"https://{HOST}/"

_RESERVATION = "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n"


@dataclass(frozen=True)
class Picture:
    """A picture; ``headers`` come with it, or with the redirect that leads to it."""

    name: str
    said: Mapping[str, str] = field(default_factory=dict)
    """What a feed should tell of it."""
    is_obeyed: bool = False
    """Whether that is reason enough not to keep it."""
    headers: tuple[tuple[str, str], ...] = ()
    host: str = IMAGE_HOST
    is_moved: bool = False

    @property
    def url(self) -> str:
        return f"https://{self.host}/{self.name}.jpg"

    @property
    def data(self) -> bytes:
        return PictureAddress("jpeg", (200, 150), self.name).picture()


def _tagged(name: str, tag: str, *signals: str, is_obeyed: bool = False, is_moved: bool = False) -> Picture:
    """A picture with an ``X-Robots-Tag``."""
    said = dict.fromkeys(signals, f"X-Robots-Tag: {tag}")
    return Picture(name, said, is_obeyed, (("X-Robots-Tag", tag),), is_moved=is_moved)


@dataclass(frozen=True)
class Page:
    """A page, what stands in its head, and the pictures on it."""

    path: str
    pictures: tuple[Picture, ...]
    head: str = ""
    headers: tuple[tuple[str, str], ...] = ()


_META = "<meta name='ROBOTS' content='NoImageAI, noindex'><!-- <meta name='robots' content='noml'> -->"
_OURS = '<meta content="noml" name="ImageCrawl"/><meta name="googlebot" content="noai">'
_SIGNALS = '<meta name="tdm-reservation" content="1"><meta name="content-signal" content="ai-input=no, search=yes">'

PAGES = (
    Page(
        "/",
        (
            Picture("plain"),
            _tagged("noai", "noai, noimageai", "noai", "noimageai", is_obeyed=True),
            _tagged("of-another-agent", "googlebot: noai, noml"),
            _tagged("of-our-agent", "ImageCrawl: noml", "noml", is_obeyed=True),
            _tagged("noindex", "noindex, max-snippet: 20", "noindex"),
            _tagged("moved", "noimageai", "noimageai", is_obeyed=True, is_moved=True),
            Picture(
                "reserved-rights", {"tdm-reservation": "TDM-Reservation: 1"}, headers=(("TDM-Reservation", "1"),)
            ),
            Picture(
                "content-usage",
                {"ai-train": "Content-Usage: train-ai=n, search=y"},
                True,
                (("Content-Usage", "train-ai=n, search=y"),),
            ),
            Picture(
                "robots-txt",
                {"ai-train": "robots.txt: Content-Signal: search=yes, ai-train=no"},
                True,
                host=RESERVED_HOST,
            ),
        ),
    ),
    Page(
        "/header",
        (
            Picture("under-header", {"noai": "page: X-Robots-Tag: noai"}, True),
        ),
        headers=(("X-Robots-Tag", "otherbot: noml"), ("X-Robots-Tag", "noai")),
    ),
    Page(
        "/meta",
        (
            Picture(
                "under-meta", dict.fromkeys(("noimageai", "noindex"), "page: meta robots: NoImageAI, noindex"), True
            ),
        ),
        _META,
    ),
    Page("/ours", (Picture("under-our-name", {"noml": "page: meta imagecrawl: noml"}, True),), _OURS),
    Page(
        "/signals",
        (
            Picture(
                "under-signals",
                {
                    "tdm-reservation": "page: meta TDM-Reservation: 1",
                    "ai-input": "page: meta Content-Signal: ai-input=no, search=yes",
                },
            ),
        ),
        _SIGNALS,
    ),
)  # fmt: skip
PICTURES = {picture.url: picture for page in PAGES for picture in page.pictures}


def sites() -> dict[str, Site]:
    """Every host."""
    return {HOST: gallery, IMAGE_HOST: images, RESERVED_HOST: images}


def gallery(request: Request) -> Answer:
    """www.opt-outs.example: a start page that leads to the others."""
    found = next((page for page in PAGES if page.path == request.route), None)
    if found is None:
        return not_found()
    shown = "".join(f'<img src="{picture.url}" width="200" height="150">' for picture in found.pictures)
    links = "".join(f'<a href="{page.path}">more</a>' for page in PAGES)
    answer = page(f"<html><head><title>Gallery</title>{found.head}</head><body>{shown}{links}</body></html>")
    return Answer(answer.status, (*answer.headers, *found.headers), answer.body)


def images(request: Request) -> Answer:
    """The hosts of the pictures; one has a robots.txt that reserves them."""
    if request.route == "/robots.txt":
        return robots_txt(_RESERVATION if request.host == RESERVED_HOST else "")
    moved = request.route.startswith("/moved-here/")
    picture = PICTURES.get(f"https://{request.host}/{request.route.rpartition('/')[2]}")
    if picture is None:
        return not_found()
    if picture.is_moved and not moved:
        return redirect(f"https://{IMAGE_HOST}/moved-here/{picture.name}.jpg", 302, *picture.headers)
    headers = () if picture.is_moved else picture.headers
    return Answer(200, (("Content-Type", "image/jpeg"), *headers), picture.data)
