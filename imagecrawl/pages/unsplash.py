"""Photos of unsplash.com: what its pages show and where they lead, from their elements and their embedded JSON.

Pure functions of text; nothing is fetched. The start page and searches load more by script: the way on is the related
photos of each photo's page (:attr:`Page.links`), so there is no ``parse_next_url``. The parts are in the ``unsplash_*``
modules beside this one; spiders need this one only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from parsel import Selector

from imagecrawl.exceptions import PageChangedError
from imagecrawl.pages import unsplash_data as data
from imagecrawl.pages import unsplash_figures as figures
from imagecrawl.pages import unsplash_walls as walls
from imagecrawl.pages.unsplash_addresses import (
    HOST,
    IMAGE_HOST,
    SITE,
    build_search_url,
    canonical_photo_url,
    image_id,
    is_site_url,
    original_url,
    photo_code,
    plain_page_url,
    short,
    sized_url,
)
from imagecrawl.pages.unsplash_values import Photo, merge_photos
from imagecrawl.pages.values import host_of, parse_document

__all__ = [
    "HOST",
    "IMAGE_HOST",
    "SITE",
    "Page",
    "Photo",
    "build_search_url",
    "canonical_photo_url",
    "image_id",
    "is_site_url",
    "original_url",
    "parse_links",
    "parse_page",
    "parse_photo_page",
    "parse_photos",
    "photo_code",
    "sized_url",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page shows."""

    photos: list[Photo]
    """Every free photo, each once: those of its elements in their order, then those of its JSON alone."""
    photo: Photo | None
    """That of ``photos`` which the page is about, with all that it says. ``None``: none of them is."""
    links: list[str]
    """The pages of other photos, each photo once; those of paid ones are left out."""


def parse_page(text: str, *, url: str, status: int = 200) -> Page:
    """All that a page of the site gives, of whatever kind it is; ``url`` is its final address.

    Raises PageBlockedError when something stands between us and the photos (an empty shell has the kind
    ``javascript``, an answer that ends early ``truncated``); PageEmptyError for a page that is gone, a search that
    found nothing and a page of paid photos only; PageChangedError for anything else without photos.
    """
    page = parse_document(text)
    base = url if host_of(url) == HOST else SITE
    if status < 400 and walls.says_no_results(page, url):
        raise walls.no_results(url)
    values = data.read_values(page)
    pictures = figures.read_pictures(page, base)
    photos = merge_photos([*pictures.photos, *data.read_photos(values)])
    if status >= 400 or not photos:
        found_nothing = data.says_nothing(values)
        raise walls.explain_page(
            page, text, url=url, status=status, found_nothing=found_nothing, has_paid=bool(pictures.paid)
        )
    meant = _meant(page, pictures.photos, photos, url)
    if meant:
        photos[meant] = figures.read_around(page, _named(photos[meant], url), base)
    pages = [*figures.page_links(page, base), *(photo.page_url for photo in photos.values() if photo.page_url)]
    return Page(
        photos=[*photos.values()],
        photo=photos[meant] if meant else None,
        links=_distinct_links(pages, without={*pictures.paid, photo_code(url)}),
    )


def parse_photos(text: str, *, url: str, status: int = 200) -> list[Photo]:
    """The free photos of any page, each once, in its order. Raises as :func:`parse_page` does."""
    return parse_page(text, url=url, status=status).photos


def parse_links(text: str, *, url: str, status: int = 200) -> list[str]:
    """The pages of other free photos that a page leads to, each photo once. Raises as :func:`parse_page` does."""
    return parse_page(text, url=url, status=status).links


def parse_photo_page(text: str, *, url: str, status: int = 200) -> Photo:
    """The photo that the address means, with all that its page says: tags, photographer, licence.

    Raises as :func:`parse_page` does, and PageEmptyError for a paid photo and for an address that is no photo's, which
    is where the site leads when one is gone.
    """
    photo = parse_page(text, url=url, status=status).photo
    if photo:
        return photo
    code = photo_code(url)
    if code is None:
        raise walls.no_photo(url, "led to another page: there is no such photo")
    if {code, ""} & figures.read_pictures(parse_document(text), SITE).paid:
        raise walls.no_photo(url, "wants to be paid for this photo")
    raise PageChangedError(f"The page of a photo does not show it: {short(url)}")


def _meant(page: Selector, shown: list[Photo], photos: dict[str, Photo], url: str) -> str | None:
    """The id of the photo that a photo's page is about: the one with its code, the one that the page is shared with,
    else the first picture that links to no page, for a page does not link to itself."""
    code = photo_code(url)
    if code is None:
        return None
    by_code = (photo.id for photo in photos.values() if photo.code == code)
    shared = figures.main_id(page)
    is_nameless = shared in photos and photos[shared].code is None
    unlinked = (photo.id for photo in shown if photos[photo.id].code is None)
    return next(by_code, None) or (shared if is_nameless else next(unlinked, None))


def _named(photo: Photo, url: str) -> Photo:
    """The photo with the address of the page that is about it."""
    return replace(photo, code=photo_code(url), page_url=photo.page_url or plain_page_url(url))


def _distinct_links(urls: Iterable[str], *, without: set[str | None]) -> list[str]:
    links: dict[str | None, str] = {}
    for url in urls:
        links.setdefault(photo_code(url), url)
    return [url for code, url in links.items() if code not in without]
