"""The Atom feed of a listing, which says little of a post: a link, a thumbnail and the text of a self post."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from parsel import Selector

from imagecrawl.exceptions import Obstacle, PageChangedError, PageEmptyError
from imagecrawl.pages.reddit_addresses import Via, build_post_url, post_of, with_after
from imagecrawl.pages.reddit_media import picture_of, read_body, read_link
from imagecrawl.pages.reddit_values import (
    Kind,
    Listing,
    Media,
    Post,
    absolute,
    make_listing,
    make_post,
    moment_of,
    post_id,
)
from imagecrawl.pages.reddit_walls import truncated, wall
from imagecrawl.pages.values import attribute, encodable, parse_document, text_of


def read_feed(text: str, *, url: str) -> Listing:
    """The posts of a feed; the next page is asked for by the last of them, since a feed does not say where it ends.

    Raises PageBlockedError for a feed that was cut, PageEmptyError for one without entries and for a list of
    communities, PageChangedError when entries have no ids.
    """
    if "</feed>" not in text:
        raise truncated(url, text)
    feed = Selector(text=encodable(text), type="xml")
    feed.remove_namespaces()
    names = [text_of(name) or "" for name in feed.xpath("/feed/entry/id/text()").getall()]
    posts = [post for entry in feed.xpath("/feed/entry") if (post := _read_entry(entry))]
    if not feed.xpath("/feed/entry"):
        raise PageEmptyError("Reddit says that there is nothing here, or no more: a feed without entries")
    if names and all(name.startswith("t5_") for name in names):
        raise wall(Obstacle.NO_SUBREDDIT, url)
    if not posts and not any(name.startswith("t1_") for name in names):
        raise PageChangedError("No entry of the feed has the id of a post: the feed changed")
    after = f"t3_{posts[-1].id}" if posts else None
    return make_listing(posts, after=after, next_url=with_after(url, after))


def _read_entry(entry: Selector) -> Post | None:
    name = post_id(entry.xpath("id/text()").get())
    if name is None:
        return None
    content = parse_document(entry.xpath("string(content)").get(""))
    permalink = absolute(attribute(entry.xpath("link[@href]"), "href"))
    author = text_of(entry.xpath("string(author/name)").get())
    return make_post(
        _read_media(entry, content, permalink),
        name=name,
        title=entry.xpath("string(title)").get(),
        author=author.removeprefix("/u/") if author else None,
        subreddit=attribute(entry.xpath("category"), "term"),
        created=moment_of(entry.xpath("published/text()").get() or entry.xpath("updated/text()").get()),
        permalink=permalink,
    )


def _read_media(entry: Selector, content: Selector, permalink: str | None) -> Media:
    """What the anchor named ``[link]`` leads to: for a self post its own page.

    Of a gallery the feed has the first picture only; its page, and that of a crosspost, is shown by embed.reddit.com.
    """
    link = attribute(content.xpath("//a[normalize-space() = '[link]']"), "href")
    previews = list(_previews(entry, content))
    media = read_link(link, previews)
    if media.kind is Kind.GALLERY and not media.more_url:
        first = picture_of(next(iter(previews), None))
        more_url = build_post_url(link, via=Via.RSS, permalink=permalink)
        return replace(media, pictures=(first,) if first else (), more_url=more_url)
    if media.kind is not Kind.CROSSPOST:
        return media
    if post_of(link) == post_of(permalink):
        return Media(kind=Kind.TEXT, pictures=read_body(content.css("div.md")))
    return replace(media, more_url=build_post_url(link, via=Via.RSS))


def _previews(entry: Selector, content: Selector) -> Iterator[str]:
    yield from entry.xpath("thumbnail/@url").getall()
    yield from content.xpath("//td/a/img/@src").getall()
