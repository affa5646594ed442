"""Pages of the red panda archive. Their links are written in several forms that mean the same."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable
from html import escape
from urllib.parse import urlsplit

from tests.replica import site_archive as catalogue
from tests.replica.site_archive import BANNER, HOST, NAME, SITE, ArchivePage, Picture

ELSEWHERE = "https://www.elsewhere.example/pandas"

_PLACEHOLDER = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def render(shown: ArchivePage) -> str:
    """A page of the archive."""
    links = [*enumerate(shown.links)]
    is_based = shown.way == "base"
    folder = f"/media/{shown.pictures[0].section}/" if is_based else posixpath.dirname(urlsplit(shown.path).path)

    def link(at: int, content: str) -> str:
        turn, target = links[at]
        href = _written(target, turn + len(shown.title), folder)
        return f'<a href="{escape(href)}">{content}</a>'

    base = f'<base href="{folder}">' if is_based else ""
    if shown.pictures:
        head, main, rest = _album_head(shown), _figures(shown), 2
    elif shown.albums:
        head, (main, rest) = "", _list(shown, link)
    else:
        private = f'<li><a href="{catalogue.PRIVATE_PAGE}">For keepers</a></li>'
        sections = "".join(f"<li>{link(at, shown.links[at])}</li>" for at in range(1, len(links)))
        head, main, rest = "", f"<ul>{sections}{private}</ul>", len(links)
    first = link(0, "Start") + (link(1, "Section") if rest > 1 and shown.path != "/" else "")
    beside = " ".join(link(at, "See also") for at in range(rest, len(links)))
    return document(
        shown.title,
        f"<header>{_furniture()}<nav>{first}</nav></header>"
        f"<main><h1>{escape(shown.heading)}</h1>{main}</main><nav>{beside}</nav>{_footer()}",
        base + head,
    )


def private() -> str:
    """The page that robots.txt forbids."""
    picture = f'<img src="{catalogue.PRIVATE_PICTURE}" alt="Keys">'
    return document(f"For keepers | {NAME}", f'<h1>Keepers only</h1>{picture}<a href="/private/more.html">More</a>')


def document(title: str, body: str, head: str = "") -> str:
    """An HTML document; ``head`` is markup that stands in its head."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'{head}<link rel="icon" href="{catalogue.ICON}"></head><body>{body}</body></html>'
    )


def _furniture() -> str:
    return (
        f'<img src="{catalogue.LOGO}" alt="{NAME}" width="90" height="30">'
        f'<img src="{BANNER.url}" alt="{BANNER.alt}" width="{BANNER.size[0]}" height="{BANNER.size[1]}">'
        f'<span style="background: url({catalogue.SPRITE}) 0 -16px"></span>'
    )


def _footer() -> str:
    return (
        '<footer><a href="mailto:panda@example.org">Write to us</a> <a href="javascript:void(0)">To the top</a> '
        f'<a href="#top">Up</a> <a href="tel:+15550100">Call</a> <a href="{ELSEWHERE}">Friends</a>'
        f'<img src="{catalogue.PIXEL}" width="1" height="1" alt=""></footer>'
    )


def _written(path: str, turn: int, folder: str) -> str:
    """The address of a page in one of several forms; ``folder`` is what relative ones are joined with."""
    before, mark, query = path.partition("?")
    form = turn % 5
    if form == 1:
        return f"{path}#part-{turn}"
    if form == 2 and before != "/":
        return f"/%{ord(before[1]):02X}{before[2:]}{mark}{'&'.join(reversed(query.split('&')))}"
    if form == 3:
        return f"HTTPS://{HOST.title()}{path}"
    if form == 4:
        relative = posixpath.relpath(before, folder)
        return f"{relative}{'/' if before.endswith('/') else ''}{mark}{query}"
    return path


def _list(shown: ArchivePage, link: Callable[[int, str], str]) -> tuple[str, int]:
    """The albums of a list, and how many links came before what follows."""
    parts, at = [], 2
    for preview in shown.previews:
        image = f'<img src="{preview.url}" alt="{escape(preview.picture.said_alt)}" width="150" height="100">'
        parts.append(f"<li>{link(at, image)} {link(at + 1, 'Album')}</li>")
        at += 2
    for _ in shown.albums[len(shown.previews) :]:
        parts.append(f"<li>{link(at, 'Album')}</li>")
        at += 1
    return f"<ul>{''.join(parts)}</ul>", at


def _album_head(shown: ArchivePage) -> str:
    """What the head of an album says of its pictures."""
    match shown.way:
        case "plain":  # as many sites have it, for a picture that the page shows anyway
            return f'<meta property="og:image" content="{shown.pictures[0].url}">'
        case "open-graph":
            return "".join(
                f'<meta property="og:image" content="{picture.url}">'
                f'<meta property="og:image:width" content="{picture.size[0]}">'
                f'<meta property="og:image:alt" content="{escape(picture.said_alt)}">'
                for picture in shown.pictures
            )
        case "twitter":
            return "".join(
                f'<meta name="twitter:image" content="{picture.url}">'
                f'<meta name="twitter:image:alt" content="{escape(picture.said_alt)}">'
                for picture in shown.pictures
            )
        case "json-ld":
            value = [_record(picture) for picture in shown.pictures]
            said = json.dumps({"@context": "https://schema.org", "@graph": value}).replace("</", "<\\/")
            return f'<script type="application/ld+json">{said}</script>'
        case "link-rel":
            first, *others = shown.pictures
            rest = "".join(f'<link rel="preload" as="image" href="{picture.url}">' for picture in others)
            return f'<link rel="image_src" href="{first.url}">{rest}'
    return ""


def _record(picture: Picture) -> dict[str, str]:
    record = {"@type": "ImageObject", "contentUrl": picture.url, "caption": picture.said_caption}
    return record | ({"name": picture.said_title} if picture.said_title else {})


def _figures(shown: ArchivePage) -> str:
    """The pictures of an album that stand in its body, with words between them."""
    words = f"<p>{escape(shown.heading)}. {'Bamboo, sleep, and bamboo again. ' * 4}</p>"
    show = _SHOWN.get(shown.way or "")
    if not show:
        return words
    parts = []
    for picture in shown.pictures:
        heading = f"<h2>{escape(picture.said_heading)}</h2>" if picture.place > 1 else ""
        caption = f"<figcaption>{escape(picture.said_caption)}</figcaption>"
        parts.append(f"{heading}{words}<figure>{show(picture)}{caption}</figure>")
    inline = f'<img src="{catalogue.INLINE}" alt="Paw">' if shown.way == "inline" else ""
    return "".join(parts) + inline


def _texts(picture: Picture) -> str:
    return f' alt="{escape(picture.said_alt)}"{_title(picture)}'


def _title(picture: Picture) -> str:
    return f' title="{escape(picture.said_title)}"' if picture.said_title else ""


def _address(picture: Picture) -> str:
    """Its address as a page has it: from the root of the site, or without a scheme."""
    return picture.url.removeprefix(SITE) if picture.place % 2 else picture.url.removeprefix("https:")


def _plain(picture: Picture) -> str:
    return f'<img src="{_address(picture)}"{_texts(picture)}>'


def _candidates(picture: Picture) -> str:
    """Three sizes for a ``srcset``."""
    smaller = (f"{picture.smaller_url(width)} {width}w" for width in (110, 140))
    return ", ".join([*smaller, f"{_address(picture)} {picture.size[0]}w"])


def _srcset(picture: Picture) -> str:
    return f'<img src="{picture.smaller_url(110)}" srcset="{_candidates(picture)}" sizes="50vw"{_texts(picture)}>'


def _sources(picture: Picture) -> str:
    return (
        f'<picture><source media="(min-width: 600px)" srcset="{_candidates(picture)}">'
        f'<img src="{picture.smaller_url(110)}"{_texts(picture)}></picture>'
    )


def _lazy(picture: Picture) -> str:
    return f'<img src="{_PLACEHOLDER}" data-src="{_address(picture)}" class="lazy"{_texts(picture)}>'


def _link(picture: Picture) -> str:
    return f'<a href="{_address(picture)}"><img src="{picture.smaller_url(120)}"{_texts(picture)}></a>'


def _text_link(picture: Picture) -> str:
    return f'<a href="{_address(picture)}"{_title(picture)}>Open the picture</a>'


def _css(picture: Picture) -> str:
    style = f"height: 200px; background-image: url('{_address(picture)}')"
    return f'<div role="img"{_title(picture)} style="{escape(style)}"></div>'


def _noscript(picture: Picture) -> str:
    return f'<img class="later" data-number="{picture.place}"><noscript>{_plain(picture)}</noscript>'


def _relative(picture: Picture) -> str:
    return f'<img src="{picture.name}"{_texts(picture)}>'


_SHOWN: dict[str, Callable[[Picture], str]] = {
    "plain": _plain,
    "srcset": _srcset,
    "picture": _sources,
    "lazy": _lazy,
    "link": _link,
    "text-link": _text_link,
    "css": _css,
    "noscript": _noscript,
    "base": _relative,
    "inline": _plain,
}
