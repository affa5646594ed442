"""Any page of any site: the pictures that a person sees on it, each once, what the page says of them, and its links.

Pure functions of text; nothing is fetched. The parts: ``site_elements`` reads the page from its beginning to its end,
``site_attributes`` what one element says of pictures, ``srcset`` and ``site_css`` what stands in attributes and
style sheets, ``site_metadata`` what stands in the head; ``site_addresses`` makes addresses absolute and compares them,
``site_identity`` decides which finds are one picture; ``site_answers`` names what is no page. Spiders need this module
only.
"""

from __future__ import annotations

from imagecrawl.pages.site_addresses import MAX_DATA, MAX_URL, Addresses, Identity, ends_like_picture
from imagecrawl.pages.site_answers import check_html, check_status
from imagecrawl.pages.site_elements import read_base, read_document
from imagecrawl.pages.site_identity import merge
from imagecrawl.pages.site_values import MAX_TEXT, MAX_URLS, Page, Picture, Source

__all__ = [
    "MAX_DATA",
    "MAX_TEXT",
    "MAX_URL",
    "MAX_URLS",
    "Identity",
    "Page",
    "Picture",
    "Source",
    "ends_like_picture",
    "parse_page",
]


def parse_page(text: str, *, url: str, status: int = 200, encoding: str = "utf-8") -> Page:
    """The pictures and links of a page; a page without any is no error.

    ``url`` is the final address, ``encoding`` that of the page, which counts for the parameters in its addresses.
    Raises PageEmptyError for 404 and 410, PageBlockedError for other error statuses, PageChangedError for a text that
    is no HTML, with the name of what it is.
    """
    check_status(url, status)
    check_html(text, url)
    base = Addresses(url, page="", encoding=encoding).absolute(read_base(text)) or url
    addresses = Addresses(base, page=url, encoding=encoding)
    document = read_document(text, addresses)
    return Page(
        title=document.title,
        base_url=base,
        pictures=merge(document.finds),
        links=document.links,
        oversized=addresses.oversized,
        is_whole=document.is_whole,
    )
