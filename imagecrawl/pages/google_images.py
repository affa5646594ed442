"""Google Images: what its results pages, old and new, say about pictures, and how to ask for them.

Pure functions of text; nothing is fetched. The parts are in the ``google_*`` modules beside this one; spiders need this
one only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from parsel import Selector

from imagecrawl.exceptions import PageChangedError
from imagecrawl.pages.google_obstacles import CONSENT_FORM, CONSENT_REJECT, SETTLED, explain
from imagecrawl.pages.google_paging import next_link, next_lite_batch
from imagecrawl.pages.google_search import (
    ASPECTS,
    COLORS,
    FILETYPES,
    LICENCES,
    SIZES,
    TIMES,
    TYPES,
    build_search_url,
    build_tbs,
    size_tbs,
    time_tbs,
)
from imagecrawl.pages.google_shapes import read_results
from imagecrawl.pages.google_values import ImageResult, is_google
from imagecrawl.pages.values import file_name_of, host_of, parse_document, query_value, text_of

__all__ = [
    "ASPECTS",
    "COLORS",
    "CONSENT_FORM",
    "CONSENT_REJECT",
    "FILETYPES",
    "LICENCES",
    "SETTLED",
    "SIZES",
    "TIMES",
    "TYPES",
    "ImageResult",
    "build_search_url",
    "build_tbs",
    "check_complete",
    "parse_next_url",
    "parse_query",
    "parse_results",
    "size_tbs",
    "time_tbs",
]

_HOME = "https://www.google.com/"


def parse_results(text: str, *, url: str, status: int = 200) -> list[ImageResult]:
    """The pictures of a results page in grid order, each image id once; never an empty list.

    ``text`` is a page, a fragment of one or an answer to scrolling; ``url`` its final address; ``status`` its HTTP
    status. A page that was cut off gives the results before the cut. Raises PageBlockedError when something stands
    between us and the results, PageEmptyError when Google has none, and PageChangedError for anything else.
    """
    page = parse_document(text)
    results = _finished(read_results(page, text))
    if not results:
        raise explain(page, text, url=url, status=status)
    return results


def check_complete(results: Sequence[ImageResult]) -> None:
    """Raises PageChangedError when more than a fifth of the results of a page lost the address of the picture.

    On whole pages every result has one, but for a stray tile; pages that give no address at all are of the basic shape.
    """
    lost = sum(result.image_url is None for result in results)
    if len(results) > lost > len(results) / 5:
        raise PageChangedError(f"{lost} of {len(results)} results have no address: the page is cut, or it changed")


def parse_next_url(text: str, *, url: str) -> str | None:
    """Absolute address of the next results: the nearest larger ``start`` of the same query, or the next batch of the
    lite page. ``None`` on the last page."""
    page = parse_document(text)
    base = urlsplit(url if is_google(host_of(url) or "") else _HOME)
    query = text_of(query_value(base, "q")) or _query_of(page)
    return next_link(page, base=base, query=query) or next_lite_batch(page, text, base=base)


def parse_query(text: str) -> str | None:
    """The query that the page answers."""
    return _query_of(parse_document(text))


def _query_of(page: Selector) -> str | None:
    box = page.css('form[action*="/search"] [name="q"]')
    context = page.css('[data-async-context^="query:"]::attr(data-async-context)').get("")
    title, _, suffix = (text_of(page.css("title::text").get()) or "").rpartition(" - ")
    return (
        text_of(box.css("input::attr(value), textarea::attr(value), textarea::text").get())
        or text_of(unquote(context.removeprefix("query:")))
        or (text_of(title) if "Google" in suffix else None)
    )


def _finished(results: Iterable[ImageResult]) -> list[ImageResult]:
    """Each picture once, with its file name and host where title and site are unknown.

    What names no picture and no page is not a result.
    """
    distinct: dict[str, ImageResult] = {}
    for result in results:
        key = result.id or result.image_url or result.thumbnail_url or result.page_url
        if key and (result.image_url or result.thumbnail_url or result.page_url):
            distinct.setdefault(key, result)
    return [
        replace(
            result,
            title=result.title or file_name_of(result.image_url),
            site=result.site or host_of(result.page_url),
        )
        for result in distinct.values()
    ]
