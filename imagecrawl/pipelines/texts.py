"""What strangers wrote, made fit to be kept: before anything is fetched or written down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from imagecrawl.items import FileItem, ImageItem
from imagecrawl.output import printable, without_login

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

TEXTS = ("title", "alt", "caption", "site", "label")
FACTS = ("rights", "opt_outs", "post", "details")
ADDRESSES = ("page_url", "thumbnail_url")

DEPTH = 50
"""Values in values of the facts; what lies deeper is left out."""

_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")


class TextsPipeline:
    """Takes user names and passwords out of all addresses of an item, and out of its texts those characters too that a
    terminal would obey; a text longer than ``TEXT_MAX_LENGTH`` (characters; 0 = no bound) is cut.

    What makes paths stays as it is: :mod:`imagecrawl.storage` makes it safe. Items of other kinds pass untouched.
    """

    def __init__(self, max_length: int) -> None:
        self.max_length = max_length

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.settings.getint("TEXT_MAX_LENGTH"))

    def process_item(self, item: Any) -> Any:
        if isinstance(item, ImageItem | FileItem):
            item.urls[:] = map(without_login, item.urls)
            for name in ADDRESSES:
                if url := getattr(item, name, None):
                    setattr(item, name, without_login(url))
            for name in (*TEXTS, *FACTS):
                if value := getattr(item, name, None):
                    setattr(item, name, self.clean(value))
        return item

    def clean(self, value: Any, depth: int = 0) -> Any:
        """``value``, plain JSON, with every text in it cleaned and cut."""
        if isinstance(value, str):
            return self.cut(without_login(value if value.isprintable() else printable(_BREAKS.sub(" ", value))))
        if isinstance(value, dict | list | tuple) and depth == DEPTH:
            return None
        if isinstance(value, dict):
            return {self.clean(name): self.clean(each, depth + 1) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(each, depth + 1) for each in value]
        return value

    def cut(self, text: str) -> str:
        """``text``, with its last character an ellipsis where it was too long."""
        if not self.max_length or len(text) <= self.max_length:
            return text
        return f"{text[: self.max_length - 1].rstrip()}…"
