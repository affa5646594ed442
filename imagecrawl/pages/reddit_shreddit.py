"""The pages of www.reddit.com since 2023 ("shreddit"), the fragments that continue them, and embed.reddit.com.

The opening tag of a post was captured in 2026; what stands inside follows several public programs.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from parsel import Selector

from imagecrawl.pages.reddit_addresses import Via, after_of, build_post_url, post_of
from imagecrawl.pages.reddit_media import picture_of, read_body, read_link
from imagecrawl.pages.reddit_posts import flag, mapping
from imagecrawl.pages.reddit_values import (
    Kind,
    Listing,
    Media,
    Picture,
    Post,
    PostPage,
    absolute,
    make_listing,
    make_post,
    moment_of,
    numbered,
    post_id,
    whole_number,
)
from imagecrawl.pages.srcset import parse_srcset
from imagecrawl.pages.values import attribute, text_of

_PAGE = re.compile(r"page-(?P<number>\d{1,4})")
_SHARP = "img:not(.post-background-image-filter)"
"""Not the blurred copy behind a picture."""
_SINGLE = f"img#post-image, shreddit-aspect-ratio {_SHARP}, zoomable-img {_SHARP}"


def read_shreddit(page: Selector) -> Listing | None:
    """The posts of a page or a fragment, and the address of the fragment that follows; ``None`` when it has neither.

    Advertisements are elements of their own, but for posts with the mark ``promoted``.
    """
    posts = [post for element in page.css("shreddit-post") if (post := _read_element(element))]
    follow = page.css('faceplate-partial[slot="load-after"][src]')[-1:]
    next_url = absolute(attribute(follow, "src"))
    if not (posts or next_url):
        return None
    return make_listing(posts, after=after_of(next_url), next_url=next_url)


def read_embed(page: Selector) -> PostPage | None:
    """The post on a page of embed.reddit.com; ``None`` for any other page."""
    data = attribute(page.css("shreddit-screenview-data"), "data")
    if data is None:
        return None
    try:
        post = mapping(mapping(json.loads(data)).get("post"))
    except (ValueError, RecursionError):
        post = {}
    url, slides, nsfw = text_of(post.get("url")), _carousel(page), flag(post.get("nsfw"))
    if slides:
        return PostPage(pictures=slides, kind=Kind.GALLERY, nsfw=nsfw)
    media = read_link(url)
    is_text = media.kind is Kind.CROSSPOST and post_of(url) == post_id(text_of(post.get("id")))
    return PostPage(pictures=media.pictures, kind=Kind.TEXT if is_text else media.kind, nsfw=nsfw)


def _read_element(element: Selector) -> Post | None:
    name = post_id(attribute(element, "id"))
    if name is None:
        return None
    permalink = absolute(attribute(element, "permalink"))
    return make_post(
        _read_media(element, permalink),
        name=name,
        title=attribute(element, "post-title"),
        author=attribute(element, "author"),
        subreddit=attribute(element, "subreddit-name"),
        created=moment_of(attribute(element, "created-timestamp")),
        permalink=permalink,
        score=whole_number(attribute(element, "score")),
        flair=element.css("shreddit-post-flair").xpath("string()").get(),
        nsfw=_has(element, "nsfw"),
        spoiler=_has(element, "spoiler"),
        stickied=_has(element, "stickied") or _has(element, "pinned"),
    )


def _has(element: Selector, flag: str) -> bool:
    """Whether a flag, which is an attribute without a value, is there."""
    return attribute(element, flag) not in {None, "false"}


def _read_media(element: Selector, permalink: str | None) -> Media:
    """By the ``post-type``: the link of a gallery or a crosspost may be no more than that of its page."""
    if _has(element, "promoted"):
        return Media(kind=Kind.PROMOTED)
    match attribute(element, "post-type"):
        case "video":
            return Media(kind=Kind.VIDEO)
        case "poll":
            return Media(kind=Kind.POLL)
        case "text" | "multi_media" | "gallery" | "crosspost" as said:
            return _read_shown(element, said, build_post_url(permalink, via=Via.SHREDDIT))
    return _read_target(element)


def _read_shown(element: Selector, said: str, page: str | None) -> Media:
    """What the element shows; ``page``, that of the post, where it may be less than all."""
    slides = _carousel(element)
    match said:
        case "gallery":
            return Media(kind=Kind.GALLERY, pictures=slides, more_url=None if slides else page)
        case "crosspost":
            shown = slides or _singles(element)
            return Media(kind=Kind.CROSSPOST, pictures=shown, more_url=None if shown else _target_page(element, page))
    is_whole = attribute(element, "view-context") == "CommentsPage"  # a listing shows the beginning of a text
    return Media(kind=Kind.TEXT, pictures=slides or read_body(element), more_url=None if is_whole else page)


def _target_page(element: Selector, page: str | None) -> str | None:
    target = absolute(attribute(element, "content-href"))
    return build_post_url(target, via=Via.SHREDDIT) or page


def _read_target(element: Selector) -> Media:
    """An image, a GIF or a link: where the link is that of the post, the picture that is shown."""
    media = read_link(attribute(element, "content-href"), map(_source, element.css(_SINGLE)))
    if media.kind is not Kind.CROSSPOST:
        return media
    shown = _singles(element)[:1]
    return Media(kind=Kind.IMAGE, pictures=shown) if shown else replace(media, kind=Kind.LINK)


def _singles(element: Selector) -> tuple[Picture, ...]:
    return numbered(picture for image in element.css(_SINGLE) if (picture := picture_of(_source(image))))


def _carousel(page: Selector) -> tuple[Picture, ...]:
    """The slides of a gallery by their number: the order of the elements may be another."""
    slides = {}
    for slide in page.css("gallery-carousel li[slot]"):
        number = _PAGE.fullmatch(attribute(slide, "slot") or "")
        caption = slide.css("figcaption").xpath("string()").get()
        shown = (picture_of(_source(image), caption) for image in slide.css(f"{_SHARP}, faceplate-img"))
        picture = next(filter(None, shown), None)
        if number and picture:
            slides[int(number["number"])] = picture
    return numbered(slides[number] for number in sorted(slides))


def _source(image: Selector) -> str | None:
    """The widest copy that an element shows; slides after the first are loaded late."""
    srcset = attribute(image, "srcset") or attribute(image, "data-lazy-srcset") or ""
    candidates = [candidate for candidate in parse_srcset(srcset) if candidate.width]
    if candidates:
        return max(candidates, key=lambda candidate: candidate.width).address
    return attribute(image, "src") or attribute(image, "data-lazy-src")
