"""Which posts and pictures of a listing are wanted, and what has to be asked to know it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from imagecrawl.pages.reddit_addresses import Via, build_post_url, post_of
from imagecrawl.pages.reddit_values import Kind, Picture, Post, PostPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a user wants of a listing, in the words of the spider's arguments."""

    nsfw: Literal["skip", "include", "only"] = "skip"
    galleries: Literal["all", "first", "skip"] = "all"
    min_score: int | None = None

    def leaves_out(self, post: Post) -> str | None:
        """The name of what leaves out a post, as far as the post is known; a score that is not shown is too low."""
        if self.min_score is not None and (post.score is None or post.score < self.min_score):
            return "min_score"
        if self.galleries == "skip" and post.is_gallery:
            return "galleries"
        known = self.nsfw != "include" and post.nsfw is not None
        return "nsfw" if known and post.nsfw is not (self.nsfw == "only") else None

    def open_pages(self, post: Post) -> Iterator[str]:
        """The pages that say what the listing leaves open and is wanted: the rest of the pictures comes last."""
        first = next(iter(post.pictures), None)
        one_is_enough = self.galleries == "first" and post.kind is not Kind.TEXT
        is_enough = one_is_enough and first is not None and first.original is not None
        more_url = None if is_enough else post.more_url
        if self.is_open(post) and post_of(more_url) != post.id:
            own = build_post_url(post.permalink, via=Via.RSS)
            yield from [own] if own else []
        yield from [more_url] if more_url else []

    def is_answered(self, page: PostPage) -> bool:
        """Whether the page behind a ``more_url`` shows all that is wanted of its post."""
        return page.is_whole or (self.galleries == "first" and bool(page.pictures))

    def certain(self, post: Post) -> Post:
        """The post without its pictures where those might be what is not wanted."""
        return replace(post, pictures=()) if self.is_open(post) else post

    def pictures(self, post: Post) -> tuple[Picture, ...]:
        """Those that are wanted of a post."""
        return post.pictures[:1] if self.galleries == "first" and post.is_gallery else post.pictures

    def is_open(self, post: Post) -> bool:
        """Whether the post may be for adults, and that matters."""
        return self.nsfw != "include" and post.nsfw is None
