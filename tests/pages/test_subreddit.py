"""Subreddits: every saved page gives what its JSON says; real captures, when there, give what they hold.

A saved page is two files in ``tests/saved_pages/subreddit``: the page, and a JSON with its ``url`` and ``status`` and
either what is found or ``error``, ``kind``, ``ends_crawl`` and ``message_part``. ``function`` is ``parse_post_page``
for the page of one post; that is whole and says nothing of ``nsfw``, unless the JSON does. The pages are written by
hand after the captures and public programs.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.reddit_media import is_removed_url, original_of
from imagecrawl.pages.subreddit import (
    HORIZON,
    SORTS,
    TOKEN_URL,
    Choice,
    Kind,
    Listing,
    Paging,
    Picture,
    Post,
    PostPage,
    Skipped,
    Via,
    accepted_types,
    build_listing_url,
    build_post_url,
    is_reddit_url,
    parse_listing,
    parse_post_page,
    parse_token,
    subreddit_names,
    token_form,
    wants_token,
)
from tests.pages.saved import SavedPages, raises_as

ROOT = Path(__file__).parents[2]
SAVED = SavedPages("subreddit")
CASES, page_of, expected_of = SAVED.cases, SAVED.page_of, SAVED.expected_of
CAPTURES = ROOT.parent / "shared" / "sites" / "pages" / "reddit"
API = "https://oauth.reddit.com/r/pics/hot?limit=100&raw_json=1"
OLD = "https://old.reddit.com/r/pics/"
WWW = "https://www.reddit.com/r/pics/hot/"


def plain(found: Listing | PostPage) -> dict[str, Any]:
    """What was found as the JSON of a saved page has it."""
    if isinstance(found, PostPage):
        return json.loads(json.dumps(asdict(found)))  # type: ignore[no-any-return]
    posts = [asdict(post) | {"skipped": post.skipped} for post in found.posts]
    return json.loads(json.dumps({"after": found.after, "next_url": found.next_url, "posts": posts}))  # type: ignore[no-any-return]


def read(case: str) -> Listing | PostPage:
    expected = expected_of(case)
    parse = parse_post_page if expected.get("function") else parse_listing
    return parse(page_of(case), url=expected["url"], status=expected["status"])


@pytest.mark.parametrize("case", CASES)
def test_saved_page(case: str) -> None:
    expected = expected_of(case)
    if "error" in expected:
        with raises_as(expected) as caught:
            read(case)
        assert caught.value.ends_crawl == expected["ends_crawl"]
    else:
        found = {key: value for key, value in expected.items() if key not in {"url", "status", "function"}}
        assert plain(read(case)) == ({"nsfw": None, "is_whole": True} if "function" in expected else {}) | found


@pytest.mark.parametrize("case", [case for case in CASES if "posts" in expected_of(case)])
def test_every_post_is_accounted_for(case: str) -> None:
    listing = read(case)
    assert isinstance(listing, Listing)
    assert_sound(listing)


def assert_sound(listing: Listing) -> None:
    assert len({post.id for post in listing.posts}) == len(listing.posts)
    for post in listing.posts:
        assert (post.skipped is None) == bool(post.pictures or post.more_url)
        assert [picture.position for picture in post.pictures] == [*range(1, len(post.pictures) + 1)]
        for picture in post.pictures:
            assert picture.urls and set(picture.preview_urls) <= set(picture.urls)
            assert all(urlsplit(url).scheme in {"http", "https"} for url in picture.urls)
            assert len(set(picture.urls)) == len(picture.urls)


# The captures

captured = pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not here")


def capture(name: str) -> str:
    (path,) = CAPTURES.glob(f"{name}*")
    return path.read_text(encoding="utf-8", errors="replace")


def children(name: str) -> list[dict[str, Any]]:
    return [child["data"] for child in json.loads(capture(name))["data"]["children"]]


@captured
def test_captured_listing() -> None:
    listing = parse_listing(
        capture("oauth_r_popular"), url="https://oauth.reddit.com/r/popular/hot?limit=100&raw_json=1"
    )
    assert_sound(listing)
    assert listing.after == "t3_1skbyfv"
    assert listing.next_url == "https://oauth.reddit.com/r/popular/hot?limit=100&raw_json=1&after=t3_1skbyfv"
    assert [post.id for post in listing.posts] == [data["id"] for data in children("oauth_r_popular")]
    assert Counter((post.kind, post.skipped) for post in listing.posts) == {
        (Kind.IMAGE, None): 50,
        (Kind.GALLERY, None): 14,
        (Kind.VIDEO, Skipped.VIDEO): 25,
        (Kind.LINK, Skipped.NO_PICTURE): 5,
        (Kind.TEXT, Skipped.NO_PICTURE): 6,
    }
    assert not any(post.more_url for post in listing.posts)


@captured
def test_captured_listing_gives_every_picture_in_its_order() -> None:
    """The addresses are counted from the JSON itself: the links to i.redd.it, and the items of the galleries."""
    listing = parse_listing(capture("oauth_r_popular"), url=API)
    found = {post.id: [picture.urls[0] for picture in post.pictures] for post in listing.posts if post.pictures}
    expected: dict[str, list[str]] = {}
    for data in children("oauth_r_popular"):
        for item in (data.get("gallery_data") or {"items": []})["items"]:
            signed = data["media_metadata"][item["media_id"]]["s"]["u"]
            extension = urlsplit(signed).path.rpartition(".")[2]
            expected.setdefault(data["id"], []).append(f"https://i.redd.it/{item['media_id']}.{extension}")
        if data["domain"] == "i.redd.it":
            expected[data["id"]] = [data["url"]]
    assert found == expected
    assert sum(map(len, found.values())) == 109
    assert all(picture.preview_urls for post in listing.posts for picture in post.pictures)


@captured
def test_captured_crossposts_and_inline_pictures() -> None:
    name = "oauth_user_overview"
    listing = parse_listing(capture(name), url="https://oauth.reddit.com/user/x/overview?raw_json=1")
    assert_sound(listing)
    for post, data in zip(listing.posts, children(name), strict=True):
        shown = (data.get("crosspost_parent_list") or [data])[-1]
        images = {key for key, value in (shown.get("media_metadata") or {}).items() if value["e"] == "Image"}
        in_order = sorted(images, key=shown["selftext"].index)
        assert [picture.id for picture in post.pictures] == in_order
        assert (post.title, post.score, post.subreddit) == (data["title"], data["score"], data["subreddit"])
        assert post.permalink == f"https://www.reddit.com{data['permalink']}"
    assert sum(len(post.pictures) for post in listing.posts) == 8
    assert listing.posts[-1].pictures[0].caption == "I forgot its ears again."


@captured
def test_captured_post_page() -> None:
    page = parse_post_page(capture("oauth_comments"), url="https://oauth.reddit.com/comments/huw6vs")
    assert (page.nsfw, page.is_whole) == (False, True)
    assert [(picture.urls[0].rpartition("/")[2], picture.caption) for picture in page.pictures] == [
        ("pb7qsvi6i3c51.png", None),
        ("14wmudl6i3c51.jpg", "test.jpg"),
        ("vkm62gm6i3c51.gif", None),
        ("wka18en6i3c51.png", "test.png"),
    ]
    assert [len(picture.urls) for picture in page.pictures] == [2, 2, 1, 2]


@captured
def test_captured_old_page() -> None:
    listing = parse_listing(capture("old_reddit"), url="https://old.reddit.com/r/dankmemes/")
    assert_sound(listing)
    assert (len(listing.posts), listing.after) == (25, "t3_17ng20k")
    assert listing.next_url == "https://old.reddit.com/r/dankmemes/?count=25&after=t3_17ng20k"
    links = re.findall(r'data-url="([^"]+)"', capture("old_reddit"))
    links[links.index("https://i.imgur.com/G1cxejj.gifv")] = "https://i.imgur.com/G1cxejj.gif"
    assert [picture.urls[0] for post in listing.posts for picture in post.pictures] == links
    assert sum(len(post.pictures[0].preview_urls) for post in listing.posts) == 18  # the GIFs have films only
    first = listing.posts[0]
    assert (first.title, first.score, first.created) == ("The office.", 1010, "2023-11-04T11:38:04Z")
    assert listing.posts[1].flair == "hi :kp1::kp2::kp3: :isforme:"


@captured
def test_captured_feed() -> None:
    (post,) = parse_listing(capture("rss"), url="https://www.reddit.com/r/pics/.rss").posts
    assert (post.id, post.author, post.subreddit, post.kind) == ("1pz1lp2", "user132", "pics", Kind.IMAGE)
    assert post.created == "2025-12-29T23:22:35Z"
    signed = "https://preview.redd.it/sne0ns4j88ag1.jpeg?width=640&crop=smart&auto=webp&s="
    assert post.pictures[0].urls[0] == "https://i.redd.it/sne0ns4j88ag1.jpeg"
    assert post.pictures[0].preview_urls == (f"{signed}fabffda7e3d991c8baab4c4cb48dbf6a9d663b52",)


@captured
def test_captured_tag() -> None:
    (post,) = parse_listing(capture("shreddit"), url="https://www.reddit.com/r/programming/hot/").posts
    assert (post.id, post.title, post.score) == ("1vbp0vm", "On Type Inference", 29)
    assert (post.created, post.author, post.subreddit) == ("2026-07-31T12:03:50Z", "user134", "programming")
    assert (post.kind, post.skipped, post.nsfw, post.stickied) == (Kind.LINK, Skipped.NO_PICTURE, False, False)


@captured
def test_captured_rate_limit_page() -> None:
    with pytest.raises(PageBlockedError) as caught:
        parse_listing(capture("error_429"), url=API, status=429)
    assert (caught.value.kind, caught.value.ends_crawl) == (Obstacle.RATE_LIMITED, False)


@captured
def test_captured_exchanges() -> None:
    obstacles, lifetimes = [], []
    for exchange in json.loads(capture("http_exchanges")):
        response, url = exchange["response"], exchange["request"]["uri"]
        status, body = response["status"]["code"], response["body"]
        if body.startswith("see ") or status in {301, 302}:
            continue
        try:
            if url.endswith("access_token"):
                lifetimes.append(parse_token(body.replace("<redacted>", "x"), status=status).lifetime)
            else:
                parse_listing(body, url=url, status=status)
        except PageError as error:
            obstacles.append((status, error.kind))
    assert lifetimes == [86400, 86400, 3600, 3600, 3600]
    assert obstacles == [
        (200, Obstacle.NO_RESULTS),
        (200, Obstacle.CREDENTIALS),
        (403, Obstacle.REFUSED),
        (404, Obstacle.NO_SUBREDDIT),
        (401, Obstacle.CREDENTIALS),
        (200, Obstacle.TRUNCATED),
        (451, Obstacle.REFUSED),
        (429, Obstacle.RATE_LIMITED),
    ]


# Pictures


@pytest.mark.parametrize(
    ("preview", "name"),
    [
        ("https://preview.redd.it/87udn5gszb6a1.jpg?width=640&s=1", "87udn5gszb6a1.jpg"),
        ("https://preview.redd.it/black-eyed-pees-grail-v0-87udn5gszb6a1.jpg?s=1", "87udn5gszb6a1.jpg"),
        ("https://preview.redd.it/made-in-v0-style-v0-87udn5gszb6a1.jpeg", "87udn5gszb6a1.jpeg"),
        ("https://preview.redd.it/words-87udn5gszb6a1.webp", "87udn5gszb6a1.webp"),
        ("https://external-preview.redd.it/87udn5gszb6a1.jpg?s=1", None),
        ("https://preview.redd.it/snoovatar/avatars/87udn5gszb6a1.png", None),
        ("https://preview.redd.it/snoovatar/avatars/an-87udn5gszb6a1.png", None),
        ("https://preview.redd.it/award_images/t5_22cerq/87udn5gszb6a1.png", None),
        ("https://preview.redd.it/87udn5gszb6a1", None),
        ("https://i.redd.it/87udn5gszb6a1.jpg", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_original_of(preview: str, name: str | None) -> None:
    assert original_of(preview) == (name and f"https://i.redd.it/{name}")


def one(**values: Any) -> Post:
    """The post that the JSON of one post gives."""
    data = {"id": "abc", "permalink": "/r/pics/comments/abc/title/"} | values
    listing = {"kind": "Listing", "data": {"children": [{"kind": "t3", "data": data}], "after": None}}
    (post,) = parse_listing(json.dumps(listing), url=API).posts
    return post


@pytest.mark.parametrize(
    ("url", "kind", "address"),
    [
        ("https://i.redd.it/abcdefghijk12.jpg?x=1", Kind.IMAGE, "https://i.redd.it/abcdefghijk12.jpg"),
        ("https://i.redd.it/snoovatar/avatars/x.png", Kind.LINK, None),
        ("https://www.reddit.com/media?url=https%3A%2F%2Fi.redd.it%2Fabc.png", Kind.IMAGE, "https://i.redd.it/abc.png"),
        (
            "https://out.reddit.com/t3_x?url=https%3A%2F%2Fa.example%2Fb.png&token=t",
            Kind.IMAGE,
            "https://a.example/b.png",
        ),
        ("https://i.reddituploads.com/0a?fit=max&s=1", Kind.IMAGE, "https://i.reddituploads.com/0a?fit=max&s=1"),
        ("https://b.thumbs.redditmedia.com/x.jpg", Kind.LINK, None),
        ("https://preview.redd.it/award_images/t5_22cerq/x.png", Kind.LINK, None),
        ("https://www.shredd.it/x.png", Kind.IMAGE, "https://www.shredd.it/x.png"),
        ("https://styles.redditmedia.com/x.png", Kind.LINK, None),
        ("https://v.redd.it/abc", Kind.VIDEO, None),
        ("https://www.youtube.com/watch?v=1", Kind.VIDEO, None),
        ("https://a.example/film.MP4?x", Kind.VIDEO, None),
        ("https://a.example/PICTURE.WebP?x=1#top", Kind.IMAGE, "https://a.example/PICTURE.WebP?x=1#top"),
        ("https://a.example/picture.jpg/page", Kind.LINK, None),
        ("https://a.example/?file=a.jpg", Kind.LINK, None),
        ("http://imgur.com/qguFQDn.jpg", Kind.IMAGE, "https://i.imgur.com/qguFQDn.jpg"),
        ("https://i.imgur.com/AbCdEt.png", Kind.IMAGE, "https://i.imgur.com/AbCdE.png"),
        ("https://i.imgur.com/qguFQDt.png", Kind.IMAGE, "https://i.imgur.com/qguFQDt.png"),
        ("https://i.imgur.com/qguFQDn_d.webp?maxwidth=520", Kind.IMAGE, "https://i.imgur.com/qguFQDn.webp"),
        ("http://i.imgur.com/longer0name.png", Kind.IMAGE, "https://i.imgur.com/longer0name.png"),
        ("https://m.imgur.com/qguFQDn.GIFV", Kind.IMAGE, "https://i.imgur.com/qguFQDn.gif"),
        ("https://i.imgur.com/qguFQDn.giff", Kind.IMAGE, "https://i.imgur.com/qguFQDn.gif"),
        ("https://i.imgur.com/qguFQDn.gift", Kind.IMAGE, "https://i.imgur.com/qguFQDn.gif"),
        ("https://i.imgur.com/qguFQDn.mp4", Kind.VIDEO, None),
        ("https://imgur.com/qguFQDn", Kind.IMAGE, "https://i.imgur.com/qguFQDn.jpg"),
        ("https://imgur.com/a-cat-qguFQDn", Kind.IMAGE, "https://i.imgur.com/qguFQDn.jpg"),
        ("https://imgur.com/user/someone", Kind.LINK, None),
        ("https://imgur.com/removed.png", Kind.REMOVED, None),
        ("not an address", Kind.LINK, None),
        ("https://[broken", Kind.LINK, None),
        (None, Kind.LINK, None),
    ],
)
def test_link(url: str | None, kind: Kind, address: str | None) -> None:
    post = one(url=url)
    assert (post.kind, [picture.urls[0] for picture in post.pictures]) == (kind, [address] if address else [])
    assert post.more_url is None


@pytest.mark.parametrize(
    ("url", "kind", "more_url", "known"),
    [
        ("https://imgur.com/a/AbCdE", Kind.GALLERY, "https://imgur.com/a/AbCdE", 0),
        ("https://m.imgur.com/a/some-title-qguFQDn", Kind.GALLERY, "https://imgur.com/a/qguFQDn", 0),
        ("https://imgur.com/gallery/a-cat-qguFQDn", Kind.IMAGE, "https://imgur.com/gallery/qguFQDn", 1),
        ("https://imgur.com/t/cats/qguFQDn", Kind.IMAGE, "https://imgur.com/gallery/qguFQDn", 1),
        ("https://imgur.com/r/cats/qguFQDn", Kind.IMAGE, "https://imgur.com/gallery/qguFQDn", 1),
    ],
)
def test_imgur_pages_of_several_pictures(url: str, kind: Kind, more_url: str, known: int) -> None:
    post = one(url=url)
    assert (post.kind, post.more_url, len(post.pictures)) == (kind, more_url, known)


def test_removed_picture_of_imgur() -> None:
    assert is_removed_url("https://i.imgur.com/removed.png")
    assert not is_removed_url("https://i.imgur.com/removed1.png")
    assert not is_removed_url("https://a.example/removed.png")
    with pytest.raises(PageEmptyError, match="imgur has no such picture"):
        parse_post_page(page_of("imgur_image"), url="https://i.imgur.com/removed.png")


def test_values_of_odd_posts() -> None:
    post = one(score="9", created_utc="soon", over_18=1, author={"name": "x"}, title=None, stickied="yes")
    assert (post.score, post.created, post.nsfw, post.author, post.title, post.stickied) == (None,) * 5 + (False,)
    assert one(created_utc=1e300).created is None
    assert one(name=None, id="xyz").id == "xyz"


def test_removed_posts() -> None:
    """What is left of one is given; a crosspost is removed with its parent, and by itself."""
    picture = {"id": "q", "url": "https://i.redd.it/abc.png", "removed_by_category": "moderator"}
    assert [post.urls[0] for post in one(**picture).pictures] == ["https://i.redd.it/abc.png"]
    film = {"id": "q", "url": "https://v.redd.it/abc"}
    for own, parent in ({}, film | {"removed_by_category": "deleted"}), ({"removed_by_category": "author"}, film):
        post = one(**own, crosspost_parent="t3_q", crosspost_parent_list=[parent], url="/r/a/comments/q/")
        assert (post.kind, post.skipped) == (Kind.REMOVED, Skipped.REMOVED)


def some_post(**values: Any) -> Post:
    """A post with one picture, of which everything is known."""
    known = one(url="https://i.redd.it/abcdefghijk12.jpg", score=10, over_18=False)
    return replace(known, **values)


def some_pictures(count: int) -> tuple[Picture, ...]:
    return tuple(Picture(urls=(f"https://i.redd.it/{n}.jpg",), position=n) for n in range(1, count + 1))


@pytest.mark.parametrize(
    ("kind", "count", "is_gallery"),
    [
        (Kind.GALLERY, 0, True),
        (Kind.GALLERY, 1, True),
        (Kind.GALLERY, 3, True),
        (Kind.CROSSPOST, 0, False),
        (Kind.CROSSPOST, 1, False),
        (Kind.CROSSPOST, 2, True),
        (Kind.TEXT, 3, False),
        (Kind.IMAGE, 1, False),
    ],
)
def test_what_a_gallery_is(kind: Kind, count: int, is_gallery: bool) -> None:
    assert some_post(kind=kind, pictures=some_pictures(count)).is_gallery is is_gallery


@pytest.mark.parametrize(
    ("own", "said", "nsfw"),
    [
        (None, None, None),
        (None, False, False),
        (None, True, True),
        (False, None, False),
        (False, False, False),
        (False, True, True),
        (True, None, True),
        (True, False, True),
        (True, True, True),
    ],
)
def test_one_page_that_says_so_makes_a_post_one_for_adults(
    own: bool | None, said: bool | None, nsfw: bool | None
) -> None:
    post = some_post(nsfw=own)
    assert post.marked(said) == replace(post, nsfw=nsfw)


def test_a_post_is_completed_by_its_page() -> None:
    post = some_post(kind=Kind.CROSSPOST, pictures=(), more_url=POST, nsfw=None)
    shown = some_pictures(2)
    whole = replace(post, pictures=shown, more_url=None)
    assert post.completed(PostPage(pictures=shown, kind=Kind.GALLERY)) == replace(whole, kind=Kind.GALLERY)
    assert post.completed(PostPage(pictures=shown, nsfw=True)) == whole


@pytest.mark.parametrize("kind", Kind)
def test_a_page_without_pictures_says_what_a_post_is_if_it_has_none(kind: Kind) -> None:
    """It says nothing where there should be pictures."""
    post = some_post(kind=Kind.GALLERY, more_url=POST)
    has_pictures = kind in {Kind.IMAGE, Kind.GALLERY, Kind.CROSSPOST}
    bare = replace(post, kind=kind, pictures=(), more_url=None)
    assert post.completed(PostPage(pictures=(), kind=kind)) == (post if has_pictures else bare)


def test_a_page_that_shows_nothing_completes_nothing() -> None:
    post = some_post(kind=Kind.GALLERY, more_url=POST)
    assert post.completed(PostPage(pictures=())) == post


def test_the_original_of_a_picture_is_no_copy_of_it() -> None:
    first, copy = "https://i.redd.it/abc.jpg", "https://preview.redd.it/abc.jpg?s=1"
    assert Picture(urls=(first, copy), preview_urls=(copy,)).original == first
    assert Picture(urls=(copy, first), preview_urls=(copy,)).original == first
    assert Picture(urls=(copy,), preview_urls=(copy,)).original is None


@pytest.mark.parametrize(
    ("own", "parents", "nsfw"),
    [
        (False, [True], True),
        (False, [True, False], True),
        (False, [False], False),
        (True, [False], True),
        (None, [True], True),
        (None, [False], None),
        (False, [None], False),
    ],
)
def test_a_crosspost_is_for_adults_if_a_parent_is(
    own: bool | None, parents: list[bool | None], nsfw: bool | None
) -> None:
    assert one(over_18=own, crosspost_parent_list=[{"id": "q", "over_18": parent} for parent in parents]).nsfw is nsfw


# What is wanted


@pytest.mark.parametrize(
    ("min_score", "score", "left_out"),
    [(10, 10, None), (10, 9, "min_score"), (10, None, "min_score"), (-5, -5, None), (-5, -6, "min_score"),
     (0, None, "min_score"), (0, 0, None), (None, None, None), (None, -100, None)],
)  # fmt: skip
def test_posts_are_left_out_by_their_score(min_score: int | None, score: int | None, left_out: str | None) -> None:
    assert Choice(min_score=min_score).leaves_out(some_post(score=score)) == left_out


@pytest.mark.parametrize(
    ("wanted", "nsfw", "left_out"),
    [
        ("skip", True, "nsfw"),
        ("skip", False, None),
        ("skip", None, None),
        ("include", True, None),
        ("include", False, None),
        ("include", None, None),
        ("only", True, None),
        ("only", False, "nsfw"),
        ("only", None, None),
    ],
)
def test_posts_are_left_out_by_who_they_are_for(
    wanted: Literal["skip", "include", "only"], nsfw: bool | None, left_out: str | None
) -> None:
    assert Choice(nsfw=wanted).leaves_out(some_post(nsfw=nsfw)) == left_out


@pytest.mark.parametrize(("galleries", "left_out"), [("all", None), ("first", None), ("skip", "galleries")])
def test_galleries_are_left_out(galleries: Literal["all", "first", "skip"], left_out: str | None) -> None:
    choice = Choice(galleries=galleries)
    assert choice.leaves_out(some_post(kind=Kind.GALLERY, pictures=some_pictures(2))) == left_out
    assert choice.leaves_out(some_post(kind=Kind.CROSSPOST, pictures=some_pictures(2))) == left_out
    assert choice.leaves_out(some_post(kind=Kind.TEXT, pictures=some_pictures(2))) is None
    assert choice.leaves_out(some_post()) is None


def test_by_default_posts_for_adults_are_left_out_and_nothing_else() -> None:
    assert Choice() == Choice(nsfw="skip", galleries="all", min_score=None)


@pytest.mark.parametrize(("galleries", "taken"), [("all", 3), ("first", 1)])
def test_of_a_gallery_the_first_picture_may_be_enough(galleries: Literal["all", "first"], taken: int) -> None:
    choice, shown = Choice(galleries=galleries), some_pictures(3)
    for kind in (Kind.GALLERY, Kind.CROSSPOST):
        assert choice.pictures(some_post(kind=kind, pictures=shown)) == shown[:taken]
    assert choice.pictures(some_post(kind=Kind.TEXT, pictures=shown)) == shown
    assert choice.pictures(some_post(kind=Kind.GALLERY, pictures=())) == ()


POST = "https://www.reddit.com/r/pics/comments/abc/some_title/?share_id=1"
EMBEDDED = "https://embed.reddit.com/r/pics/comments/abc/"
ALBUM = "https://imgur.com/a/qguFQDn"
PARENT = "https://www.reddit.com/r/other/comments/q9/title/"


@pytest.mark.parametrize("wanted", ["skip", "include", "only"])
@pytest.mark.parametrize(
    ("more_url", "pages"),
    [
        (None, {True: [], False: [], None: [EMBEDDED]}),
        (POST, {True: [POST], False: [POST], None: [POST]}),
        (EMBEDDED, {True: [EMBEDDED], False: [EMBEDDED], None: [EMBEDDED]}),
        (ALBUM, {True: [ALBUM], False: [ALBUM], None: [EMBEDDED, ALBUM]}),
        (PARENT, {True: [PARENT], False: [PARENT], None: [EMBEDDED, PARENT]}),
    ],
)
@pytest.mark.parametrize("nsfw", [True, False, None])
def test_pages_that_are_open(
    wanted: Literal["skip", "include", "only"],
    more_url: str | None,
    pages: dict[bool | None, list[str]],
    nsfw: bool | None,
) -> None:
    """A page of the post itself says whether it is for adults; that matters unless both kinds are wanted."""
    post = some_post(kind=Kind.GALLERY, pictures=(), more_url=more_url, nsfw=nsfw)
    expected = [more_url] * bool(more_url) if wanted == "include" else pages[nsfw]
    assert [*Choice(nsfw=wanted).open_pages(post)] == expected


@pytest.mark.parametrize("kind", [Kind.GALLERY, Kind.CROSSPOST])
def test_who_wants_the_first_picture_does_not_ask_for_the_others(kind: Kind) -> None:
    choice = Choice(galleries="first")
    known = some_post(kind=kind, pictures=some_pictures(1), more_url=POST)
    assert [*choice.open_pages(known)] == []
    assert [*choice.open_pages(replace(known, pictures=()))] == [POST]
    assert [*choice.open_pages(replace(known, nsfw=None))] == [EMBEDDED]
    assert [*Choice().open_pages(known)] == [POST]


def test_a_copy_of_the_first_picture_is_not_enough() -> None:
    copy = "https://external-preview.redd.it/abc.jpg?s=1"
    post = some_post(kind=Kind.GALLERY, pictures=(Picture(urls=(copy,), preview_urls=(copy,)),), more_url=ALBUM)
    assert [*Choice(galleries="first").open_pages(post)] == [ALBUM]


@pytest.mark.parametrize(
    ("galleries", "count", "is_whole", "is_answered"),
    [("all", 1, True, True), ("all", 0, True, True), ("all", 1, False, False),
     ("first", 1, False, True), ("first", 0, False, False), ("skip", 1, False, False)],
)  # fmt: skip
def test_a_page_that_does_not_show_all_may_show_enough(
    galleries: Literal["all", "first", "skip"], count: int, is_whole: bool, is_answered: bool
) -> None:
    page = PostPage(pictures=some_pictures(count), is_whole=is_whole)
    assert Choice(galleries=galleries).is_answered(page) is is_answered


def test_a_post_without_an_address_of_its_own_cannot_be_asked() -> None:
    assert [*Choice().open_pages(some_post(permalink=None, nsfw=None, more_url=ALBUM))] == [ALBUM]
    assert [*Choice().open_pages(some_post(permalink=None, nsfw=None))] == []


@pytest.mark.parametrize("wanted", ["skip", "include", "only"])
@pytest.mark.parametrize("nsfw", [True, False, None])
def test_pictures_that_may_be_for_adults_are_not_certain(
    wanted: Literal["skip", "include", "only"], nsfw: bool | None
) -> None:
    post = some_post(nsfw=nsfw)
    is_certain = wanted == "include" or nsfw is not None
    assert Choice(nsfw=wanted).certain(post) == (post if is_certain else replace(post, pictures=()))


# The way through a listing


def a_page(*names: str, next_url: str | None) -> Listing:
    return Listing(posts=[some_post(id=name) for name in names], after=None, next_url=next_url)


def turned(paging: Paging, *names: str, next_url: str | None) -> list[str]:
    return [post.id for post in paging.turn(a_page(*names, next_url=next_url))]


def test_a_listing_is_read_to_its_end() -> None:
    paging = Paging("1")
    assert (paging.next_url, paging.is_begun, len(paging)) == ("1", False, 0)
    assert turned(paging, "a", "b", next_url="2") == ["a", "b"]
    assert (paging.next_url, paging.is_begun, len(paging)) == ("2", True, 2)
    assert turned(paging, "c", next_url=None) == ["c"]
    assert (paging.next_url, paging.is_begun, len(paging)) == (None, True, 3)


def test_a_post_that_is_shown_again_counts_once() -> None:
    paging = Paging("1")
    assert turned(paging, "a", "b", next_url="2") == ["a", "b"]
    assert turned(paging, "b", "c", "a", next_url="3") == ["c"]
    assert len(paging) == 3


@pytest.mark.parametrize("back_to", ["1", "2", "3"])
def test_a_listing_that_leads_in_circles_ends(back_to: str) -> None:
    paging = Paging("1")
    turned(paging, "a", next_url="2")
    turned(paging, "b", next_url="3")
    assert turned(paging, "c", next_url=back_to) == ["c"]
    assert paging.next_url is None


def test_a_listing_that_shows_nothing_new_ends() -> None:
    """Its addresses may be new every time."""
    paging = Paging("1")
    turned(paging, "a", "b", next_url="2")
    shown = [(turned(paging, "b", next_url=f"{number}"), paging.next_url) for number in range(3, 6)]
    assert shown == [([], "3"), ([], "4"), ([], None)]


@pytest.mark.parametrize("between", [["new"], []])
def test_a_listing_that_shows_little_new_goes_on(between: list[str]) -> None:
    """A new post says that it does; a page without any says nothing."""
    paging = Paging("0")
    for number in range(1, 30):
        names = ["old"] if number % 3 else [f"{name}{number}" for name in between]
        turned(paging, *names, next_url=f"{number}")
        assert paging.next_url == f"{number}"


def test_pages_without_posts_are_no_circle() -> None:
    paging = Paging("0")
    for number in range(1, 10):
        assert turned(paging, next_url=f"{number}") == []
        assert paging.next_url == f"{number}"


def test_a_listing_may_be_ended() -> None:
    paging = Paging("1")
    turned(paging, *map(str, range(HORIZON)), next_url="2")
    assert not paging.is_cut
    paging.end()
    assert (paging.next_url, paging.is_cut) == (None, True)


def test_short_and_empty_pages_are_not_the_end() -> None:
    paging = Paging("1")
    turned(paging, "a", "b", "c", next_url="2")
    assert turned(paging, "d", next_url="3") == ["d"]
    assert turned(paging, next_url="4") == []
    assert turned(paging, "a", "b", next_url="5") == []
    assert (paging.next_url, len(paging)) == ("5", 4)


def test_an_empty_first_page_is_a_beginning() -> None:
    paging = Paging("1")
    assert turned(paging, next_url=None) == []
    assert (paging.is_begun, paging.next_url, paging.is_cut) == (True, None, False)


@pytest.mark.parametrize(
    ("count", "next_url", "is_cut"),
    [(HORIZON, None, True), (900, None, True), (899, None, False), (HORIZON, "2", False), (1, None, False)],
)
def test_a_listing_that_ends_near_the_horizon_may_be_cut(count: int, next_url: str | None, is_cut: bool) -> None:
    paging = Paging("1")
    turned(paging, *map(str, range(count)), next_url=next_url)
    assert paging.is_cut is is_cut


PAGE_NUMBERS = st.integers(0, 5)


@given(
    ways=st.dictionaries(PAGE_NUMBERS, st.none() | PAGE_NUMBERS), names=st.lists(st.sampled_from("abc"), unique=True)
)
def test_every_way_through_a_listing_ends(ways: dict[int, int | None], names: list[str]) -> None:
    paging, asked, found = Paging("0"), [], []
    while paging.next_url and len(asked) < 10:
        asked.append(paging.next_url)
        after = ways.get(int(paging.next_url))
        found += turned(paging, *names, next_url=None if after is None else str(after))
    assert len(set(asked)) == len(asked)
    assert found == names


# Addresses


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pics", ["pics"]),
        (" r/pics\n", ["pics"]),
        ("EarthPorn", ["EarthPorn"]),
        ("uk", ["uk"]),
        ("u_some-one", ["u_some-one"]),
        ("a" * 24, ["a" * 24]),
        ("r/pics", ["pics"]),
        ("/r/pics", ["pics"]),
        ("/r/pics/", ["pics"]),
        ("R/pics", ["pics"]),
        ("https://www.reddit.com/r/pics", ["pics"]),
        ("https://www.reddit.com/r/pics/", ["pics"]),
        ("http://reddit.com/r/pics/", ["pics"]),
        ("HTTPS://OLD.Reddit.com/R/Pics", ["Pics"]),
        ("www.reddit.com/r/pics", ["pics"]),
        ("old.reddit.com/r/pics/", ["pics"]),
        ("reddit.com/r/pics", ["pics"]),
        ("pics+EarthPorn", ["pics", "EarthPorn"]),
        ("pics + EarthPorn", ["pics", "EarthPorn"]),
        ("r/pics+EarthPorn", ["pics", "EarthPorn"]),
        ("https://old.reddit.com/r/pics+earthporn+cats/", ["pics", "earthporn", "cats"]),
    ],
)
def test_names_of_subreddits(text: str, names: list[str]) -> None:
    assert subreddit_names(text) == names


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", ""),
        (" ", ""),
        ("a", "a"),
        ("+", ""),
        ("cats+", ""),
        ("cats++dogs", ""),
        ("cats+b", "b"),
        ("a" * 25, "a" * 25),
        ("two words", "two words"),
        ("a/b", "a/b"),
        ("-pics", "-pics"),
        ("kätzchen", "kätzchen"),
        ("ｐｉｃｓ", "ｐｉｃｓ"),
        ("r/", "r/"),
        ("r/a", "a"),
        ("/r/pics//", "/r/pics//"),
        ("u/someone", "u/someone"),
        ("https://www.reddit.com/", "https://www.reddit.com/"),
        ("https://a.example/r/pics", "https://a.example/r/pics"),
        ("https://notreddit.com/r/pics", "https://notreddit.com/r/pics"),
        ("https://reddit.com.example/r/pics", "https://reddit.com.example/r/pics"),
        ("https://www.reddit.com/r/pics/top/?t=all", "https://www.reddit.com/r/pics/top/?t=all"),
        (
            "https://www.reddit.com/r/pics/comments/abc/title/",
            "https://www.reddit.com/r/pics/comments/abc/title/",
        ),
    ],
)
def test_what_is_no_name_of_a_subreddit_is_said(text: str, wrong: str) -> None:
    with pytest.raises(ValueError) as caught:
        subreddit_names(text)
    assert str(caught.value).startswith(f"`{wrong}` is no name of a subreddit: ")


NAMED = st.lists(
    st.sampled_from(["pics", "a", "B_", "r/", "/", "+", " ", "reddit.com", "https://", "-", "?", "ß", "."])
)


@settings(max_examples=300)
@given(text=st.text() | NAMED.map("".join) | st.from_regex(r"/?r/[a-z+_]{0,30}/?"))
@example(text="r/pics+cats")
def test_any_text_gives_names_of_subreddits_or_an_error(text: str) -> None:
    names = []
    with suppress(ValueError):
        names = subreddit_names(text)
        assert names
    for via in Via:
        for name in names:
            assert name in build_listing_url([name], via=via)
            assert subreddit_names(build_listing_url([name], via=Via.RSS).partition("/hot/")[0]) == [name]


@pytest.mark.parametrize(
    ("url", "is_reddit"),
    [
        ("https://www.reddit.com/r/pics/", True),
        ("https://reddit.com/r/pics/", True),
        ("https://old.reddit.com/r/pics/", True),
        ("https://oauth.reddit.com/r/pics/hot", True),
        ("https://embed.reddit.com/r/pics/comments/abc/", True),
        ("https://WWW.REDDIT.COM/r/pics/.rss", True),
        ("http://np.reddit.com/", True),
        ("https://i.redd.it/abc.jpg", False),
        ("https://preview.redd.it/abc.jpg", False),
        ("https://imgur.com/a/qguFQDn", False),
        ("https://notreddit.com/r/pics/", False),
        ("https://www.reddit.com.example/r/pics/", False),
        ("https://www.reddit.com@a.example/r/pics/", False),
        ("https://a.example/www.reddit.com/", False),
        ("file:///www.reddit.com", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_addresses_of_reddit(url: str, is_reddit: bool) -> None:
    assert is_reddit_url(url) is is_reddit


@pytest.mark.parametrize(
    ("url", "wants"),
    [
        (API, True),
        ("https://oauth.reddit.com/comments/abc?raw_json=1", True),
        ("https://oauth.reddit.com.evil.example/", False),
        ("https://oauth.reddit.com@evil.example/", False),
        ("https://oauth.reddit.com:pass@evil.example/", False),
        ("https://evil.example/https://oauth.reddit.com/", False),
        ("https://evil.example/?url=https://oauth.reddit.com/", False),
        ("https://notoauth.reddit.com/", False),
        ("http://oauth.reddit.com/", False),
        (OLD, False),
        (WWW, False),
        (TOKEN_URL, False),
        ("", False),
    ],
)
def test_the_token_is_for_the_interface_alone(url: str, wants: bool) -> None:
    assert wants_token(url) is wants


def test_fragments_are_asked_for_as_such() -> None:
    fragment = build_listing_url(["pics"], via=Via.SHREDDIT, after="t3_1v8kgyi")
    assert accepted_types(fragment).startswith("text/vnd.reddit.partial+html")
    for via in Via:
        assert accepted_types(build_listing_url(["pics"], via=via)) == "*/*"
    assert accepted_types(EMBEDDED) == "*/*"


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ({"via": Via.API}, "https://oauth.reddit.com/r/pics/hot?limit=100&raw_json=1"),
        (
            {"via": Via.API, "sort": "top", "time": "all", "after": "t3_x", "limit": 5},
            "https://oauth.reddit.com/r/pics/top?t=all&after=t3_x&limit=5&raw_json=1",
        ),
        (
            {"via": Via.API, "sort": "new", "time": "all", "search": "a b&c", "limit": 1000},
            "https://oauth.reddit.com/r/pics/search?t=all&limit=100&q=a+b%26c&restrict_sr=1&sort=new&raw_json=1",
        ),
        ({"via": Via.OLD, "sort": "new", "time": "all"}, "https://old.reddit.com/r/pics/new/?limit=100"),
        (
            {"via": Via.OLD, "sort": "top", "time": "week"},
            "https://old.reddit.com/r/pics/top/?t=week&limit=100&sort=top",
        ),
        ({"via": Via.SHREDDIT, "sort": "top", "time": "month"}, "https://www.reddit.com/r/pics/top/?t=month"),
        (
            {"via": Via.SHREDDIT, "after": "t3_1v8kgyi"},
            "https://www.reddit.com/svc/shreddit/community-more-posts/hot/?after=dDNfMXY4a2d5aQ%3D%3D&name=pics",
        ),
        ({"via": Via.RSS, "sort": "top", "time": "all"}, "https://www.reddit.com/r/pics/top/.rss?t=all&limit=100"),
        (
            {"via": Via.RSS, "search": "x"},
            "https://www.reddit.com/r/pics/search.rss?limit=100&q=x&restrict_sr=1&sort=hot",
        ),
        (
            {"via": Via.RSS, "search": "x", "nsfw": True},
            "https://www.reddit.com/r/pics/search.rss?limit=100&q=x&restrict_sr=1&sort=hot&include_over_18=on",
        ),
        ({"via": Via.RSS, "nsfw": True}, "https://www.reddit.com/r/pics/hot/.rss?limit=100"),
    ],
)
def test_listing_url(arguments: dict[str, Any], url: str) -> None:
    assert build_listing_url(["pics"], **arguments) == url


def test_listing_url_of_several_subreddits() -> None:
    url = build_listing_url(["pics", "u_some-one"], via=Via.RSS, limit=25)
    assert url == "https://www.reddit.com/r/pics+u_some-one/hot/.rss?limit=25"


@pytest.mark.parametrize(
    ("names", "arguments", "message"),
    [
        ([], {}, "names of subreddits"),
        (["a/b"], {}, "names of subreddits"),
        (["pics", ""], {}, "names of subreddits"),
        (["pics"], {"sort": "best"}, "sort is one of"),
        (["pics"], {"time": "decade"}, "time one of"),
        (["pics"], {"search": "x", "via": Via.OLD}, "a search works by"),
        (["pics"], {"search": "x", "via": Via.SHREDDIT}, "a search works by"),
        (["pics"], {"search": "x", "sort": "rising"}, "a search works by"),
    ],
)
def test_listing_url_refuses(names: list[str], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_listing_url(names, **({"via": Via.API} | arguments))


@pytest.mark.parametrize(
    ("url", "via", "expected"),
    [
        (POST, Via.API, "https://oauth.reddit.com/comments/abc?raw_json=1"),
        (POST, Via.OLD, "https://old.reddit.com/r/pics/comments/abc/"),
        (POST, Via.SHREDDIT, "https://www.reddit.com/r/pics/comments/abc/"),
        (POST, Via.RSS, "https://embed.reddit.com/r/pics/comments/abc/"),
        ("https://np.reddit.com/gallery/ABC", Via.OLD, "https://old.reddit.com/comments/abc/"),
        ("https://redd.it/abc", Via.API, "https://oauth.reddit.com/comments/abc?raw_json=1"),
        ("https://www.reddit.com/user/ann/comments/abc", Via.RSS, "https://embed.reddit.com/user/ann/comments/abc/"),
        ("https://www.reddit.com/r/pics/", Via.OLD, None),
        ("https://reddit.com.example/comments/abc/", Via.OLD, None),
        ("https://[", Via.OLD, None),
        (None, Via.OLD, None),
    ],
)
def test_post_url(url: str | None, via: Via, expected: str | None) -> None:
    assert build_post_url(url, via=via) == expected


def test_post_url_prefers_the_permalink_of_the_same_post() -> None:
    gallery = "https://www.reddit.com/gallery/abc"
    assert build_post_url(gallery, via=Via.OLD, permalink=POST) == "https://old.reddit.com/r/pics/comments/abc/"
    other = "https://www.reddit.com/gallery/other"
    assert build_post_url(other, via=Via.OLD, permalink=POST) == "https://old.reddit.com/comments/other/"


def test_next_page_of_a_saved_file_is_unknown() -> None:
    listing = parse_listing(page_of("api_listing"), url="file:///saved.json")
    assert (listing.after, listing.next_url) == ("t3_pm", None)


def test_next_page_replaces_the_place() -> None:
    listing = parse_listing(page_of("api_listing"), url=f"{API}&after=t3_old&count=100&before=t3_x")
    assert listing.next_url == f"{API}&after=t3_pm"


# What stands in the way


@pytest.mark.parametrize(
    ("url", "kind", "ends_crawl"),
    [
        ("https://www.reddit.com/login/?dest=x", Obstacle.LOGIN, True),
        ("https://old.reddit.com/over18?dest=x", Obstacle.OVER_18, False),
        ("https://old.reddit.com/quarantine?dest=x", Obstacle.QUARANTINED, False),
        ("https://old.reddit.com/subreddits/search?q=x", Obstacle.NO_SUBREDDIT, False),
        ("https://oauth.reddit.com/subreddits/search.json?q=x", Obstacle.NO_SUBREDDIT, False),
    ],
)
@pytest.mark.parametrize("parse", [parse_listing, parse_post_page])
def test_redirect_to_a_wall(parse: Any, url: str, kind: Obstacle, ends_crawl: bool) -> None:
    with pytest.raises(PageError) as caught:
        parse(page_of("old_listing"), url=url)
    assert (caught.value.kind, caught.value.ends_crawl) == (kind, ends_crawl)


@pytest.mark.parametrize("case", ["api_listing", "old_listing", "shreddit_page", "feed"])
@pytest.mark.parametrize(
    ("status", "kind"), [(401, "login"), (403, "refused"), (429, "rate-limited"), (500, "refused")]
)
def test_an_error_status_is_an_error_whatever_the_page_shows(case: str, status: int, kind: str) -> None:
    """401 is about an app's credentials where it needs some."""
    expected = "credentials" if case == "api_listing" and status == 401 else kind
    for parse in (parse_listing, parse_post_page):
        with pytest.raises(PageError) as caught:
            parse(page_of(case), url=expected_of(case)["url"], status=status)
        assert caught.value.kind == expected


@pytest.mark.parametrize("case", ["api_listing", "old_listing", "shreddit_page"])
def test_a_page_without_the_post_that_was_asked_for_has_changed(case: str) -> None:
    """Other posts on it are related ones."""
    with pytest.raises(PageChangedError, match="does not show its post"):
        parse_post_page(page_of(case), url=POST)


@pytest.mark.parametrize(
    ("srcset", "width"),
    [
        ("{}?width=2 2w, {}?width=3 3w, {}?width=1 1w", 3),
        ("{}?width=640&crop=1:1,smart&s=6 640w,{}?width=1080&crop=1:1,smart&s=8 1080w", 1080),
        ("{}?width=3 2x, {}?width=4", 7),
        ("{}?width=3 wide", 7),
        ("", 7),
    ],
)
def test_a_slide_is_its_widest_copy(srcset: str, width: int) -> None:
    """Candidates without a width say nothing: then the one that is shown counts."""
    copy = "https://preview.redd.it/a-title-v0-embedb2222222.jpg"
    page = page_of("embed_gallery").replace("<faceplate-img src", f'<faceplate-img srcset="{srcset}" src', 1)
    pictures = parse_post_page(
        page.replace("{}", copy).replace("width=640&amp;s=6", "width=7", 1), url=expected_of("embed_gallery")["url"]
    ).pictures
    assert parse_qs(urlsplit(pictures[1].preview_urls[0]).query)["width"] == [str(width)]


def test_what_a_page_shows_twice_is_for_adults_if_it_says_so_once() -> None:
    embedded, element = page_of("embed_image"), '<shreddit-post id="t3_s3" post-type="text" {}></shreddit-post></body>'
    read = [
        parse_post_page(embedded.replace("</body>", element.format(mark)), url=expected_of("embed_image")["url"])
        for mark in ("", "nsfw")
    ]
    assert [page.nsfw for page in read] == [False, True]
    assert [page.pictures[0].id for page in read] == ["embedsingle11"] * 2


@pytest.mark.parametrize("case", ["api_listing", "old_listing", "feed"])
@pytest.mark.parametrize("status", [404, 410])
def test_a_post_that_is_gone_says_nothing_of_its_subreddit(case: str, status: int) -> None:
    with pytest.raises(PageEmptyError) as caught:
        parse_post_page(page_of(case), url=POST, status=status)
    assert caught.value.kind is Obstacle.NO_RESULTS
    with pytest.raises(PageError) as caught_listing:
        parse_listing(page_of(case), url=OLD, status=status)
    assert (caught_listing.value.kind is Obstacle.NO_SUBREDDIT) is (status == 404)


@pytest.mark.parametrize("url", ["https://old.reddit.com/r/login/", "https://saved.example/login", "file:///login"])
def test_only_reddit_s_own_addresses_are_walls(url: str) -> None:
    assert parse_listing(page_of("old_listing"), url=url).posts


@given(cut=st.integers(1, 2_000_000))
def test_json_that_was_cut_is_truncated_wherever_it_was(cut: int) -> None:
    whole = json.dumps(json.loads(page_of("api_listing")) | {"\\u0026": [1.5e10, True, None, "\\"]}).strip()
    with pytest.raises(PageBlockedError) as caught:
        parse_listing(whole[: 1 + cut % (len(whole) - 1)], url=API)
    assert caught.value.kind is Obstacle.TRUNCATED


def test_messages_hide_the_key_of_a_feed() -> None:
    for case in ("whoa_429", "network_policy", "crawler_shell", "feed_cut", "feed_communities", "api_cut", "broke"):
        with pytest.raises(PageError) as caught:
            parse_listing(page_of(case), url="https://www.reddit.com/r/x/.rss?feed=SECRET&user=me", status=200)
        assert "SECRET" not in str(caught.value)


def test_refused_pages_say_what_reddit_says_on_one_line() -> None:
    said = "first\nsecond " + "x" * 500
    for body in ({"message": said, "error": 500}, {"error": said}):
        with pytest.raises(PageBlockedError) as caught:
            parse_listing(json.dumps(body), url=API, status=500)
        assert "answered 500" in str(caught.value) and "first second" in str(caught.value)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


# Token and headers


def test_token() -> None:
    token = parse_token('{"access_token": "abc.DEF-_", "token_type": "bearer", "expires_in": 86400, "scope": "*"}')
    assert (token.value, token.lifetime) == ("abc.DEF-_", 86400)
    assert "abc" not in repr(token)


@pytest.mark.parametrize("lifetime", ["null", '"x"', "0", "-5", "Infinity", "NaN"])
def test_token_without_a_lifetime(lifetime: str) -> None:
    assert parse_token(f'{{"access_token": "abc", "expires_in": {lifetime}}}').lifetime == 3600


@pytest.mark.parametrize(
    ("body", "status", "kind", "ends_crawl", "message"),
    [
        ('{"error": "invalid_grant"}', 200, "credentials", True, "no token: invalid_grant"),
        (
            '{"error": "invalid_request", "error_description": "bad device_id"}',
            200,
            "credentials",
            True,
            "no token: invalid_request: bad device_id",
        ),
        ('{"message": "Unauthorized", "error": 401}', 401, "credentials", True, "Unauthorized"),
        ('{"error": 400}', 400, "refused", False, "answered 400"),
        ('{"message": "Too Many Requests", "error": 429}', 429, "rate-limited", False, "too often"),
        ('{"access_token": "SECRET"}', 403, "refused", False, "answered 403"),
        ('{"access_token": "SEC\\nRET"}', 200, "changed", False, "no token"),
        ('{"access_token": 5}', 200, "changed", False, "no token"),
        ('{"access_token": "SECRET', 200, "truncated", False, "ends early"),
        ('{"access_token": SECRET-and-more-of-it}', 200, "changed", False, "No JSON"),
        ("[]", 200, "changed", False, "Neither posts nor"),
        ("", 503, "refused", False, "answered 503"),
        (page_of("network_policy"), 403, "network-block", True, "turns away"),
        (page_of("whoa_429"), 429, "rate-limited", False, "too often"),
    ],
)
def test_no_token(body: str, status: int, kind: str, ends_crawl: bool, message: str) -> None:
    with pytest.raises(PageError) as caught:
        parse_token(body, status=status)
    assert (caught.value.kind, caught.value.ends_crawl) == (kind, ends_crawl)
    assert message in str(caught.value)
    assert "SEC" not in str(caught.value)


def test_an_app_with_a_secret_asks_for_a_token_of_its_own() -> None:
    assert parse_qs(token_form(has_secret=True)) == {"grant_type": ["client_credentials"]}


def test_an_installed_app_says_so_and_names_a_device() -> None:
    form = parse_qs(token_form(has_secret=False), strict_parsing=True)
    assert form.keys() == {"grant_type", "device_id"}
    assert form["grant_type"] == ["https://oauth.reddit.com/grants/installed_client"]
    assert 20 <= len(form["device_id"][0]) <= 30


# Anything at all


def assert_only_known_errors(text: str, url: str, status: int) -> None:
    for parse in (parse_listing, parse_post_page, parse_token):
        error = found = None
        try:
            found = parse(text, status=status) if parse is parse_token else parse(text, url=url, status=status)
        except PageError as caught:
            error = caught
        assert found is not None or (str(error) and "\n" not in str(error))
        if isinstance(found, Listing):
            assert_sound(found)
        if isinstance(found, PostPage):
            assert [picture.position for picture in found.pictures] == [*range(1, len(found.pictures) + 1)]


WORDS = [
    *'{}[]":,<>&;= \n\0\ud800\ufeff',
    *("<feed>", "</feed>", "<entry>", "</entry>", "<id>t3_a</id>", "<content>", "<html>", "</html>"),
    *('<shreddit-post id="t3_a" post-type="', "gallery", "image", '"', '<div id="siteTable"><div class="thing" '),
    *('data-fullname="t3_b" data-url="', "https://i.redd.it/abc.png", "/r/a/comments/b/", "https://[", "//", "'"),
    *('"kind"', '"Listing"', '"data"', '"children"', '"t3"', '"id"', '"url"', "null", "1e999", '"error"'),
]
TEXTS = st.text() | st.lists(st.sampled_from(WORDS), max_size=40).map("".join)
URLS = st.sampled_from(
    [API, OLD, WWW, "https://www.reddit.com/r/pics/.rss", "https://imgur.com/a/AbCdE", "", "https://["]
)


@settings(max_examples=300)
@given(text=TEXTS, url=URLS | st.text(), status=st.sampled_from([200, 403, 404, 500]))
@example(text="[" * 100_000, url=API, status=200)
@example(text='{"a":' * 100_000, url=API, status=200)
@example(text='{"kind": ' + "1" * 5_000 + "}", url=API, status=200)
@example(text="<div>" * 10_000, url=OLD, status=200)
@example(text="<feed>" + "<entry>" * 5_000 + "</feed>", url=OLD, status=200)
@example(text='<feed><!DOCTYPE x [<!ENTITY a "b">]>&a;</feed>', url=OLD, status=200)
def test_any_text_gives_a_listing_or_a_page_error(text: str, url: str, status: int) -> None:
    assert_only_known_errors(text, url, status)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["https://i.redd.it/abc.png", "", "t3_x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "name title author permalink created_utc score over_18 url url_overridden_by_dest is_gallery gallery_data "
    "media_metadata crosspost_parent crosspost_parent_list preview selftext is_self is_video removed_by_category "
    "post_hint poll_data promoted link_flair_text stickied"
).split()
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.just("valid") | VALUES,
        "e": st.just("Image") | VALUES,
        "s": VALUES | st.dictionaries(st.sampled_from(["u", "gif"]), VALUES),
    },
)
ITEMS = st.fixed_dictionaries({"media_id": st.sampled_from("ab")}, optional={"caption": VALUES, "is_deleted": VALUES})
CHILDREN = st.fixed_dictionaries({"kind": st.sampled_from(["t3", "t5"]) | VALUES, "data": VALUES})


@pytest.mark.slow
@settings(max_examples=300)
@given(data=st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_a_post_of_any_values_is_read(data: dict[str, Any]) -> None:
    assert one(**data).kind in Kind


@given(metadata=st.dictionaries(st.sampled_from("ab|"), ENTRIES | VALUES), items=st.lists(ITEMS | VALUES))
def test_a_gallery_of_any_values_is_read(metadata: dict[str, Any], items: list[Any]) -> None:
    data = {"gallery_data": {"items": items}, "media_metadata": metadata, "selftext": "a b |"}
    assert one(**data, is_gallery=True).kind in {Kind.GALLERY, Kind.IMAGE, Kind.LINK}
    assert one(media_metadata=metadata, selftext="a b |", is_self=True).kind is Kind.TEXT


@given(data=st.fixed_dictionaries({"children": st.lists(CHILDREN | VALUES), "after": VALUES}) | VALUES, more=VALUES)
def test_a_listing_of_any_values_gives_a_listing_or_a_page_error(data: Any, more: Any) -> None:
    for value in ({"kind": "Listing", "data": data}, {"kind": more, "a\nb": 1}, {"error": more, "reason": more}, more):
        assert_only_known_errors(json.dumps(value), API, 200)


@settings(max_examples=100)
@given(case=st.sampled_from(CASES), start=st.integers(0, 20_000), length=st.integers(1, 400), put=TEXTS)
def test_damaged_pages(case: str, start: int, length: int, put: str) -> None:
    page = page_of(case)
    start %= len(page)
    assert_only_known_errors(page[:start] + put + page[start + length :], expected_of(case)["url"], 200)


def test_no_sort_is_forgotten() -> None:
    for sort in SORTS:
        for via in Via:
            assert f"/{sort}" in build_listing_url(["pics"], via=via, sort=sort)


def test_page_changed_names_the_page() -> None:
    with pytest.raises(PageChangedError, match=r"status 200, title 'A title : r/pics', \d+ characters"):
        parse_listing(page_of("crawler_shell"), url=WWW)


def test_of_an_address_the_name_is_asked_for() -> None:
    with pytest.raises(ValueError, match="of an address give the name alone: `pics`"):
        subreddit_names("https://www.reddit.com/r/pics/top/?t=week")


def test_an_album_that_lists_fewer_than_it_has_is_not_whole() -> None:
    listed = page_of("imgur_album").replace('\\"media\\": [', '\\"image_count\\": 4, \\"media\\": [')
    assert listed != page_of("imgur_album")
    assert not parse_post_page(listed, url="https://imgur.com/a/AbCdE").is_whole
