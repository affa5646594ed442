"""Subreddits: every saved page gives what its JSON says; real captures, when there, give what they hold.

A saved page is two files in ``tests/saved_pages/subreddit``: the page, and a JSON with its ``url`` and ``status`` and
either what is found or ``error``, ``kind``, ``ends_crawl`` and ``message_part``. ``function`` is ``parse_post_page``
for the page of one post. The pages are written by hand after the captures and public programs.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagecrawl import exceptions
from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.subreddit import (
    SORTS,
    Kind,
    Listing,
    Picture,
    Post,
    Skipped,
    Via,
    build_listing_url,
    build_post_url,
    imgur_api_url,
    is_removed_url,
    original_of,
    parse_listing,
    parse_post_page,
    parse_token,
)

ROOT = Path(__file__).parents[2]
SAVED_PAGES = ROOT / "tests" / "saved_pages" / "subreddit"
CAPTURES = ROOT.parent / "shared" / "sites" / "pages" / "reddit"
API = "https://oauth.reddit.com/r/pics/hot?limit=100&raw_json=1"
OLD = "https://old.reddit.com/r/pics/"
WWW = "https://www.reddit.com/r/pics/hot/"

CASES = sorted(path.stem for path in SAVED_PAGES.glob("*.json"))


def page_of(case: str) -> str:
    (path,) = (path for path in SAVED_PAGES.glob(f"{case}.*") if path.suffix != ".json")
    return path.read_text(encoding="utf-8")


def expected_of(case: str) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((SAVED_PAGES / f"{case}.json").read_text(encoding="utf-8"))
    return expected


def plain(found: Listing | list[Picture]) -> dict[str, Any]:
    """What was found as the JSON of a saved page has it."""
    if isinstance(found, list):
        return json.loads(json.dumps({"pictures": [asdict(picture) for picture in found]}))  # type: ignore[no-any-return]
    posts = [asdict(post) | {"skipped": post.skipped} for post in found.posts]
    return json.loads(json.dumps({"after": found.after, "next_url": found.next_url, "posts": posts}))  # type: ignore[no-any-return]


def read(case: str) -> Listing | list[Picture]:
    expected = expected_of(case)
    parse = parse_post_page if expected.get("function") else parse_listing
    return parse(page_of(case), url=expected["url"], status=expected["status"])


@pytest.mark.parametrize("case", CASES)
def test_saved_page(case: str) -> None:
    expected = expected_of(case)
    if "error" in expected:
        with pytest.raises(getattr(exceptions, expected["error"])) as caught:
            read(case)
        assert (caught.value.kind, caught.value.ends_crawl) == (expected["kind"], expected["ends_crawl"])
        assert expected["message_part"] in str(caught.value)
        assert "\n" not in str(caught.value)
    else:
        found = {key: expected[key] for key in ("after", "next_url", "posts", "pictures") if key in expected}
        assert plain(read(case)) == found


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
    url = "https://oauth.reddit.com/comments/huw6vs"
    pictures = parse_post_page(capture("oauth_comments"), url=url)
    assert [(picture.urls[0].rpartition("/")[2], picture.caption) for picture in pictures] == [
        ("pb7qsvi6i3c51.png", None),
        ("14wmudl6i3c51.jpg", "test.jpg"),
        ("vkm62gm6i3c51.gif", None),
        ("wka18en6i3c51.png", "test.png"),
    ]
    assert [len(picture.urls) for picture in pictures] == [2, 2, 1, 2]


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


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://imgur.com/a/qguFQDn", "albums/qguFQDn"),
        ("https://imgur.com/gallery/qguFQDn", "media/qguFQDn"),
        ("https://imgur.com/qguFQDn", None),
        ("https://a.example/a/qguFQDn", None),
        ("https://[", None),
    ],
)
def test_interface_of_imgur(url: str, api: str | None) -> None:
    assert imgur_api_url(url) == (api and f"https://api.imgur.com/post/v1/{api}?include=media")


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


# Addresses


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


POST = "https://www.reddit.com/r/pics/comments/abc/some_title/?share_id=1"


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
    ("status", "kind"),
    [(401, "credentials"), (403, "refused"), (429, "rate-limited"), (500, "refused")],
)
def test_an_error_status_is_an_error_whatever_the_page_shows(case: str, status: int, kind: str) -> None:
    for parse in (parse_listing, parse_post_page):
        with pytest.raises(PageError) as caught:
            parse(page_of(case), url=expected_of(case)["url"], status=status)
        assert caught.value.kind == kind


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
