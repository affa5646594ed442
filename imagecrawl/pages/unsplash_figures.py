"""What the elements of an Unsplash page say: its pictures with the links around them, and what stands beside the photo
that the page is about.

Classes are generated and change; so nothing is told apart by them. What is relied on - ``img[srcset]``, the first ``a``
around it with its ``title``, the "Related tags" heading - was read from a crawler of 2023. The photographer's link
(``/@name``) and the licence's follow the addresses of the site; no page was captured.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from parsel import Selector

from imagecrawl.pages.srcset import Candidate, parse_srcset
from imagecrawl.pages.unsplash_addresses import (
    HOST,
    absolute,
    free_image_url,
    image_id,
    is_paid,
    photo_code,
    plain_page_url,
    profile_url,
    tag_of,
)
from imagecrawl.pages.unsplash_values import Photo, distinct_tags
from imagecrawl.pages.values import attribute, host_of, split_url, text_of, web_url

_TAGS_HEADING = re.compile(r"(?:related )?tags:?", re.IGNORECASE)
_APART = "ancestor::figure or ancestor::nav or ancestor::footer"
"""What is not about the photo that a page is about."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a page."""

    photos: list[Photo] = field(default_factory=list)
    """The free ones, in the order of the page; a photo may come several times."""
    paid: set[str] = field(default_factory=set)
    """The codes of the paid ones; the empty code stands for one without a link."""


def read_pictures(page: Selector, base: str) -> Pictures:
    """The pictures that are photos: those of the site itself and portraits of photographers are none."""
    figures = _read_figures(page, base)
    nothing = _Figure()
    pictures = Pictures()
    for image in page.xpath("//img[@srcset or @src]"):
        figure = figures.get(_nearest(image, "figure"), nothing)
        href, title = _link_around(image, base) or figure.link or (None, None)
        srcset = attribute(image, "srcset") or ""
        image_url = largest(srcset)
        known = image_id(image_url)
        if image_url is None or known is None:
            if _is_paid(attribute(image, "src"), srcset):
                pictures.paid.add(photo_code(href) or "")
            continue
        pictures.photos.append(
            Photo(
                id=known,
                code=photo_code(href),
                image_url=image_url,
                page_url=plain_page_url(href) if href else None,
                description=text_of(attribute(image, "alt")),
                title=title,
                photographer=figure.photographer,
                photographer_url=figure.photographer_url,
                tags=figure.tags,
                licence_url=figure.licence_url,
            )
        )
    return pictures


def largest(srcset: str) -> str | None:
    """The free picture of the largest candidate, as given. Sizes without a number count as the smallest."""
    free = [(one.size, url) for one in _candidates(srcset) if (url := free_image_url(one.address))]
    return max(free, key=lambda found: found[0])[1] if free else None


def _candidates(srcset: str) -> list[Candidate]:
    """Those with sizes that mean nothing, too: the picture is there, whatever its size."""
    return parse_srcset(srcset, strict=False)


def main_id(page: Selector) -> str | None:
    """The picture that the page shows when it is shared: that of the photo it is about."""
    shown = page.xpath('//meta[@property="og:image" or @name="twitter:image"]/@content').getall()
    return next(filter(None, (image_id(web_url(url)) for url in shown)), None)


def read_around(page: Selector, photo: Photo, base: str) -> Photo:
    """The photo that the page is about, with what stands beside its picture."""
    anchors = page.xpath(f"//a[@href][not({_APART})]")
    name, profile = _photographer(anchors, base)
    around = Photo(
        id=photo.id,
        image_url=photo.image_url,
        photographer=name,
        photographer_url=profile,
        tags=_tags(page, base),
        licence_url=_licence(anchors, base),
    )
    return photo.completed(around)


def page_links(page: Selector, base: str) -> Iterator[str]:
    """The pages of photos that the page links to, in its order; one may come several times."""
    for href in page.xpath("//a/@href").getall():
        url = absolute(href, base)
        if url and photo_code(url):
            yield plain_page_url(url)


_Link = tuple[str, str | None]
"""Address and title of a link to the page of a photo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """What stands beside the pictures of a ``figure`` element."""

    link: _Link | None = None
    photographer: str | None = None
    photographer_url: str | None = None
    tags: tuple[str, ...] | None = None
    licence_url: str | None = None


def _read_figures(page: Selector, base: str) -> dict[Any, _Figure]:
    """What stands in each ``figure``, by its element; every link belongs to the nearest one around it."""
    inside: dict[Any, list[Selector]] = {}
    for element in page.xpath('//a[@href] | //*[@itemprop="license"]'):
        inside.setdefault(_nearest(element, "figure"), []).append(element)
    inside.pop(None, None)
    figures = {}
    for figure, elements in inside.items():
        anchors = [element for element in elements if element.root.tag == "a"]
        name, profile = _photographer(anchors, base)
        figures[figure] = _Figure(
            link=next(filter(None, (_photo_link(anchor, base) for anchor in anchors)), None),
            photographer=name,
            photographer_url=profile,
            tags=distinct_tags(_tag(anchor, base) for anchor in anchors) or None,
            licence_url=_licence(elements, base),
        )
    return figures


def _nearest(element: Selector, tag: str) -> Any:
    return next(element.root.iterancestors(tag), None)


def _link_around(image: Selector, base: str) -> _Link | None:
    """The nearest link around a picture, if it leads to the page of a photo."""
    anchor = _nearest(image, "a")
    return None if anchor is None else _photo_link(Selector(root=anchor), base)


def _photo_link(anchor: Selector, base: str) -> _Link | None:
    href = absolute(attribute(anchor, "href"), base)
    return (href, text_of(attribute(anchor, "title"))) if href and photo_code(href) else None


def _is_paid(src: str | None, srcset: str) -> bool:
    return any(is_paid(web_url(url)) for url in (src, *(candidate.address for candidate in _candidates(srcset))))


def _photographer(anchors: Iterable[Selector], base: str) -> tuple[str | None, str | None]:
    """Name and page of the first photographer; a link around an avatar has no text, and another has the name."""
    profiles = [(_string(anchor), profile_url(absolute(attribute(anchor, "href"), base))) for anchor in anchors]
    known = [(name, profile) for name, profile in profiles if profile]
    first = known[0][1] if known else None
    return next((name for name, profile in known if name and profile == first), None), first


def _tags(page: Selector, base: str) -> tuple[str, ...] | None:
    """The links under a heading for tags, else all links to searches beside the photo."""
    elements = page.xpath("//*[self::h1 or self::h2 or self::h3 or self::h4 or self::h5 or self::h6 or self::a[@href]]")
    under: list[str | None] = []
    has_heading = is_under = False
    for element in elements:
        if element.root.tag != "a":
            is_under = _TAGS_HEADING.fullmatch(_string(element) or "") is not None
            has_heading = has_heading or is_under
        elif is_under and element.xpath(_APART).get() != "1":
            under.append(_tag(element, base) or _titled(element, base))
    if has_heading:
        return distinct_tags(under)
    beside = page.xpath(f"//a[@href][not({_APART} or ancestor::header)]")
    return distinct_tags(_tag(anchor, base) for anchor in beside) or None


def _tag(anchor: Selector, base: str) -> str | None:
    """The tag that a link is for: its text, else what its address says."""
    tag = tag_of(absolute(attribute(anchor, "href"), base))
    return tag and (_string(anchor) or tag)


def _titled(anchor: Selector, base: str) -> str | None:
    """The tag of a link under the heading that leads elsewhere than to a search: such a link has a title."""
    url = absolute(attribute(anchor, "href"), base)
    is_other = url is None or host_of(url) != HOST or photo_code(url) or profile_url(url)
    title = text_of(attribute(anchor, "title"))
    return None if is_other else title and (_string(anchor) or title)


def _licence(elements: Iterable[Selector], base: str) -> str | None:
    for element in elements:
        url = absolute(attribute(element, "href") or attribute(element, "content"), base)
        parts = split_url(url) if url else None
        if parts and parts.hostname in {HOST, f"www.{HOST}"} and parts.path.rstrip("/") == "/license":
            return url
    return None


def _string(element: Selector) -> str | None:
    return text_of(element.xpath("string()").get())
