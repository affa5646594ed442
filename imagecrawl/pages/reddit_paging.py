"""The way through a listing, page by page."""

from __future__ import annotations

from imagecrawl.pages.reddit_addresses import HORIZON
from imagecrawl.pages.reddit_values import Listing, Post

_NEAR = 0.9
"""Of the horizon: a listing that ends behind it may have been cut, since posts that were removed count too."""

STALE = 3
"""So many pages in a row with nothing but posts that were there before are a circle."""


class Paging:
    """Where one has come to in a listing: its pages may be short, and show a post again; some have no end."""

    def __init__(self, first_url: str) -> None:
        self.next_url: str | None = first_url
        """The page to be read next; ``None`` at the end."""
        self._read: set[str] = set()
        self._seen: set[str] = set()
        self._stale = 0

    def __len__(self) -> int:
        """How many posts there were so far."""
        return len(self._seen)

    @property
    def is_begun(self) -> bool:
        """Whether a page was read."""
        return bool(self._read)

    @property
    def is_cut(self) -> bool:
        """Whether it has ended where Reddit ends every listing."""
        return self.next_url is None and len(self) >= _NEAR * HORIZON

    def end(self) -> None:
        """There is no further page: a feed says so by an empty one."""
        self.next_url = None

    def turn(self, page: Listing) -> list[Post]:
        """Its posts that are new; and on to the page after it, unless that leads in circles."""
        if self.next_url:
            self._read.add(self.next_url)
        new = [post for post in page.posts if post.id not in self._seen]
        self._stale = self._stale + 1 if page.posts and not new else 0
        in_circles = page.next_url in self._read or self._stale == STALE
        self.next_url = None if in_circles else page.next_url
        self._seen |= {post.id for post in new}
        return new
