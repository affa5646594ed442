"""``scrapy crawl subreddit`` as its user runs it, by every way in, against the replica, with its log as witness.

What should become of every picture is what the catalogue of the replica says, :func:`tests.replica.subreddits.wanted`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import ssl
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from scrapy import Request
from scrapy.http import Response

from imagecrawl.oauth import AppAccess
from imagecrawl.pages.subreddit import Skipped, Token, parse_listing
from settings.base import USER_AGENT
from tests import crawling
from tests.crawling import Crawl, environment, scrapy
from tests.replica import LoggedRequest, Replica, reddit_captured
from tests.replica.kinds import PRIVATE_HOST
from tests.replica.reddit_posts import WWW, Picture, Post
from tests.replica.reddit_shreddit import FIRST, name_of
from tests.replica.subreddits import listing, page, wanted

OUR_AGENT = USER_AGENT.replace("{contact}", environment(Path())["IMAGECRAWL_CONTACT"])
TOKEN_URL = f"{WWW}/api/v1/access_token"
VERSION = re.search(r"\d[\d.]+\d", USER_AGENT)
AGENT = f"python:imagecrawl:{VERSION and VERSION[0]} (by /u/somebody)"
CLIENT, PASSWORD = "replica-id", "replica-secret"
SESSION = "reddit_session=replica"

OUTSIDE = {"REDDIT_CLIENT_ID": "", "REDDIT_CLIENT_SECRET": "", "REDDIT_USERNAME": "somebody"}
"""No credentials, whatever the environment of the tests has."""
APP = {**OUTSIDE, "REDDIT_CLIENT_ID": CLIENT, "REDDIT_CLIENT_SECRET": PASSWORD}

FACTS = ("id", "title", "author", "subreddit", "score", "created", "permalink", "nsfw", "spoiler")


# What the catalogue says, in the words of a crawl


@dataclass(frozen=True)
class Line:
    """What a line of the feed should be; ``picture`` is ``None`` for a post with something that is no picture."""

    post: Post
    picture: Picture | None
    outcome: str
    reason: str | None
    position: int | None = None

    @property
    def key(self) -> tuple[str, int | None, str, str | None]:
        return self.post.id, self.position, self.outcome, self.reason

    @property
    def is_copy(self) -> bool:
        return self.outcome != "failed" and self.reason is not None


def lines_of(
    name: str, *, copies: Callable[[Post], bool] = lambda _: True, nsfw: str = "include", **order: Any
) -> list[Line]:
    """The lines of a listing in its order; ``copies`` says of which posts a shape names Reddit's copy."""
    never, fallback = (wanted(name, nsfw=nsfw, previews=given, **order) for given in (False, True))
    by_post: dict[str, list[Line]] = {}
    for bare, spared in zip(never, fallback, strict=True):
        found = spared if copies(bare.post) else bare
        line = Line(found.post, found.picture, found.outcome, found.reason, found.position)
        by_post.setdefault(found.post.id, []).append(line)
    return [line for post in listing(name, **order) if nsfw == "include" or post.nsfw == (nsfw == "only")
            for line in (*by_post.get(post.id, ()), *_more_lines(post))]  # fmt: skip


def _more_lines(post: Post) -> Iterator[Line]:
    if post.kind == "video":
        yield Line(post, None, "refused", "video")
    if post.is_partly_known:
        yield Line(post, None, "failed", "page-failed")


def moment(created: int) -> str:
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def facts_of(post: Post) -> dict[str, Any]:
    """As the API tells them; the flair is not among them."""
    found = {name: getattr(post, name) for name in FACTS}
    author = None if post.author == "[deleted]" else post.author
    return found | {"author": author, "created": moment(post.created), "permalink": WWW + post.permalink}


# Crawls


def key_of(line: dict[str, Any]) -> tuple[str, int | None, str, str | None]:
    return line["post"]["id"], line["post"]["position"], line["outcome"], line["reason"]


class Run(crawling.Run):
    def of(self, keyword: str) -> list[dict[str, Any]]:
        """The lines of a keyword, by rank."""
        found = sorted((line for line in self.lines if line["keyword"] == keyword), key=lambda line: line["rank"])
        assert [line["rank"] for line in found] == list(range(1, len(found) + 1))
        return found

    def keys(self, keyword: str) -> list[tuple[str, int | None, str, str | None]]:
        return [key_of(line) for line in self.of(keyword)]

    @property
    def pages(self) -> list[LoggedRequest]:
        """What was asked of Reddit's hosts for pages, but for tokens."""
        return [request for request in self.log if is_reddit(request) and request.url != TOKEN_URL]

    @property
    def tokens(self) -> list[LoggedRequest]:
        return [request for request in self.log if request.url == TOKEN_URL]

    @property
    def media(self) -> list[LoggedRequest]:
        """What was asked of all other hosts, without their robots.txt."""
        return [request for request in self.log if not is_reddit(request) and request.route != "/robots.txt"]

    @property
    def posts_asked(self) -> set[str]:
        """The ids of posts whose own page was asked for."""
        return {found[1] for page in self.pages if (found := re.search(r"/comments/(\w+)", page.route))}

    def listings(self, name: str) -> list[LoggedRequest]:
        """The pages of a listing that were asked for, in order, refused ones too."""
        asked = [page for page in self.pages if "/comments/" not in page.route]
        named = [page for page in asked if f"/r/{name.lower()}/" in f"{page.route.lower()}/"]
        return [page for page in asked if page in named or page.params.get("name", "").lower() == name.lower()]

    def word(self, keyword: str) -> str:
        """What the table says of a keyword after its numbers."""
        [found] = [line for line in self.done.stderr.splitlines() if re.match(rf" ?{re.escape(keyword)} +\d", line)]
        told = re.fullmatch(r" ?\S+(?: +(?:all|\d+))+ *(.*)", found.rstrip())
        assert told
        return told[1]


def is_reddit(request: LoggedRequest) -> bool:
    return request.host == "reddit.com" or request.host.endswith(".reddit.com")


@dataclass
class Lab:
    """Crawls into one folder of data."""

    replica: Replica
    data: Path

    def crawl(self, *words: str, env: dict[str, str] = OUTSIDE, code: int = 0) -> Run:
        return crawling.run(Run, self.replica, self.data, *words, spider="subreddit", env=env, code=code)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = scrapy(*words, env=environment(self.data, self.replica.environment(), OUTSIDE))
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def save(self, url: str, path: Path) -> Path:
        """A page as the browser of somebody who is logged in would save it."""
        client = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": self.replica.proxy_url}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(self.replica.ca_file))),
        )
        request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0 (somebody)", "Cookie": SESSION})
        with client.open(request, timeout=30) as answer:
            path.write_bytes(answer.read())
        return path


def labs(replica: Replica, factory: pytest.TempPathFactory, name: str) -> Lab:
    return Lab(replica, factory.mktemp(name) / "data")


@pytest.fixture
def lab(replica: Replica, tmp_path: Path) -> Lab:
    return Lab(replica, tmp_path / "data")


@pytest.fixture(scope="module")
def cookies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of somebody who is logged in; another site's are in it as well."""
    path = tmp_path_factory.mktemp("cookies") / "cookies.txt"
    rows = [(".reddit.com", *SESSION.split("=")), (".imgur.com", "imgur_session", "elsewhere")]
    lines = [f"{domain}\tTRUE\t/\tTRUE\t0\t{name}\t{value}" for domain, name, value in rows]
    path.write_text("\n".join(["# Netscape HTTP Cookie File", *lines, ""]), "utf-8")
    return path


# Every way in


def _any_post(_: Post) -> bool:
    return True


def _uploaded(post: Post) -> bool:
    return post.kind == "image"


@dataclass(frozen=True)
class Way:
    """How r/pics is read; what its shape says of a post less than the API does.

    ``saved`` is the address of the page for ``page=``. ``copies`` says of which posts the shape names Reddit's copy.
    """

    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = tuple(OUTSIDE.items())
    saved: str = ""
    copies: Callable[[Post], bool] = _any_post
    nsfw: str = "include"
    unknown: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    """The kinds of posts whose pictures have captions in this shape."""

    @property
    def lines(self) -> list[Line]:
        return lines_of("pics", copies=self.copies, nsfw=self.nsfw)

    def told(self, run: Run) -> list[dict[str, Any]]:
        """The lines of the crawl, but for films of which nobody has asked whether they are for adults."""
        films = {post.id for post in listing("pics") if post.kind == "video" and post.nsfw}
        return [line for line in run.of("pics") if self.nsfw == "include" or line["post"]["id"] not in films]

    def caption(self, line: Line) -> str | None:
        """Of pictures in a text it is the text of their link."""
        if not line.picture or line.post.kind not in self.captions:
            return None
        return line.picture.caption or ("picture" if line.post.kind == "self" else None)


ALL, TEXTS = ("gallery", "self"), ("self",)
FEED = ("score", "spoiler")
WAYS = {
    "api": Way(("name=PICS+few+Pics", "nsfw=include"), tuple(APP.items()), captions=ALL),
    "old": Way(("name=pics", "cookies=COOKIES", "nsfw=include"), copies=_uploaded, captions=TEXTS),
    "shreddit": Way(("name=pics", "via=html", "nsfw=include"), captions=("gallery",)),
    "rss": Way(("name=pics",), nsfw="skip", unknown=FEED, captions=TEXTS),
    "saved json": Way(("nsfw=include",), saved=f"{WWW}/r/pics/.json?limit=100", captions=ALL),
    "saved old": Way(
        ("nsfw=include", "cookies=COOKIES"), saved="https://old.reddit.com/r/pics/?limit=100", copies=_uploaded,
        captions=TEXTS,
    ),
    "saved feed": Way(
        ("nsfw=include", "via=page"), saved=f"{WWW}/r/pics/.rss?limit=100", unknown=(*FEED, "nsfw"), captions=TEXTS
    ),
}  # fmt: skip


def read(name: str, lab: Lab, cookies: Path) -> Run:
    way = WAYS[name]
    words = [word.replace("COOKIES", str(cookies)) for word in way.words]
    if way.saved:
        words.append(f"page={lab.save(way.saved, cookies.parent / name.replace(' ', '.'))}")
    return lab.crawl(*words, env=dict(way.env))


@pytest.fixture(scope="module")
def by_api(replica: Replica, tmp_path_factory: pytest.TempPathFactory, cookies: Path) -> tuple[Lab, Run]:
    lab = labs(replica, tmp_path_factory, "api")
    return lab, read("api", lab, cookies)


@pytest.fixture(scope="module", params=list(WAYS))
def way(
    request: pytest.FixtureRequest, replica: Replica, tmp_path_factory: pytest.TempPathFactory, cookies: Path
) -> tuple[Way, Lab, Run]:
    if request.param == "api":
        return WAYS["api"], *request.getfixturevalue("by_api")
    lab = labs(replica, tmp_path_factory, "way")
    return WAYS[request.param], lab, read(request.param, lab, cookies)


class TestWays:
    def test_every_picture_of_the_listing_has_its_line_in_order_with_its_outcome(
        self, way: tuple[Way, Lab, Run]
    ) -> None:
        expected, _, run = way
        assert [key_of(line) for line in expected.told(run)] == [line.key for line in expected.lines]
        assert {line["keyword"] for line in run.lines} <= {"pics", "few"}

    def test_what_is_stored_are_the_bytes_of_the_picture(self, way: tuple[Way, Lab, Run]) -> None:
        expected, lab, run = way
        for line, found in zip(expected.lines, expected.told(run), strict=True):
            assert len(found["images"]) == (line.outcome != "failed" and line.picture is not None)
            for image in found["images"]:
                body = (lab.data / "images" / image["path"]).read_bytes()
                assert hashlib.sha256(body).hexdigest() == image["sha256"]
                assert image["thumbnail"] is line.is_copy
                assert line.picture
                assert line.is_copy is (body != line.picture.whole), line.post.title
                assert image["url"] in found["image_urls"]

    def test_the_store_holds_nothing_else(self, way: tuple[Way, Lab, Run]) -> None:
        _, lab, run = way
        told = {lab.data / "images" / image["path"] for line in run.lines for image in line["images"]}
        assert set(run.done.pictures) == told
        assert {path.relative_to(lab.data / "images").parts[0] for path in told} == {
            line["keyword"] for line in run.lines
        }
        assert len(told) == run.outcomes["stored"]

    def test_every_line_has_the_facts_of_its_post(self, way: tuple[Way, Lab, Run]) -> None:
        expected, _, run = way
        for line, found in zip(expected.lines, expected.told(run), strict=True):
            facts = facts_of(line.post)
            said = found["post"]
            assert list(said) == [*FACTS[:7], "flair", *FACTS[7:], "position", "caption"]
            for name in FACTS:
                unknown = said[name] is None and (
                    name in expected.unknown or (name == "nsfw" and line.reason == "video")
                )
                assert said[name] == facts[name] or (unknown and "score" in expected.unknown), (line.post.title, name)
            assert (found["title"], found["page_url"]) == (facts["title"], facts["permalink"])
            assert (found["source"], found["site"], found["rights"]) == ("subreddit", "Reddit", None)

    def test_every_picture_has_its_id_and_caption(self, way: tuple[Way, Lab, Run]) -> None:
        expected, _, run = way
        for line, found in zip(expected.lines, expected.told(run), strict=True):
            own = line.picture and re.match(r"https?://i\.(?:redd\.it|imgur\.com)/", line.picture.url)
            assert found["id"] == (line.picture.id if line.picture and own else None)
            assert found["post"]["caption"] == expected.caption(line), line.post.title

    def test_what_a_page_of_another_host_says_of_being_used_is_told(self, way: tuple[Way, Lab, Run]) -> None:
        """Those of albums: see tests/replica/reddit_imgur.py."""
        expected, _, run = way
        albums = 0
        for line, found in zip(expected.lines, expected.told(run), strict=True):
            is_album = line.post.kind == "imgur-album"
            assert found["opt_outs"] == ({"noindex": "page: X-Robots-Tag: noindex"} if is_album else None)
            albums += is_album
        assert albums

    def test_every_line_has_the_flair_of_its_post(self, way: tuple[Way, Lab, Run]) -> None:
        expected, _, run = way
        flairs = {line.post.id: line.post.flair or None for line in expected.lines}
        assert len(set(flairs.values())) > 2
        if "score" in expected.unknown:  # a feed
            flairs = dict.fromkeys(flairs)
        assert {line["post"]["id"]: line["post"]["flair"] for line in expected.told(run)} == flairs

    def test_every_address_is_asked_for_once_and_no_other(self, way: tuple[Way, Lab, Run]) -> None:
        _, _, run = way
        asked = Counter(request.url for request in run.media)
        removed = asked.pop("https://i.imgur.com/removed.png")
        assert removed == len(
            [line for line in run.lines if line["reason"] == "removed" and "imgur" in line["image_urls"][0]]
        )
        assert set(asked.values()) == {1}
        listed = {url for line in run.lines for url in line["image_urls"]}
        albums = {url for url in asked if url.startswith("https://imgur.com/a/")}
        assert set(asked) - albums <= listed
        assert len(albums) == len({line.post.id for line in way[0].lines if line.post.kind == "imgur-album"})

    def test_reddit_is_told_who_asks_and_others_are_told_nothing_of_the_user(self, way: tuple[Way, Lab, Run]) -> None:
        for request in way[2].log:
            reddit = is_reddit(request)
            assert request.headers["user-agent"] == (AGENT if reddit else OUR_AGENT), request.url
            if not reddit:
                assert not {"authorization", "cookie"} & set(request.headers), request.url
            assert "elsewhere" not in request.headers.get("cookie", "")

    def test_robots_txt_is_asked_for_but_where_reddit_has_its_pages(self, way: tuple[Way, Lab, Run]) -> None:
        _, _, run = way
        asked = Counter(request.host for request in run.log if request.route == "/robots.txt")
        assert asked == dict.fromkeys({request.host for request in run.media}, 1)
        assert "i.redd.it" in asked and "imgur.com" in asked and "photos.example" in asked

    def test_it_ends_well_and_says_so(self, way: tuple[Way, Lab, Run]) -> None:
        _, lab, run = way
        counts = run.outcomes
        assert run.done.verdict == (
            f"Done: {counts['stored']} pictures stored, 0 up to date, in {lab.data}/images, "
            f"{counts['refused']} refused, {counts['failed']} failed"
        )
        assert run.done.stdout == ""

    def test_only_the_feed_says_what_it_is_and_once(
        self, way: tuple[Way, Lab, Run], request: pytest.FixtureRequest
    ) -> None:
        by_feed = request.node.callspec.params["way"] == "rss"
        assert way[2].done.stderr.count("Feeds are slow") == by_feed


def test_a_name_that_comes_twice_is_one_folder_spelled_as_reddit_does(by_api: tuple[Lab, Run]) -> None:
    lab, run = by_api
    assert {line["keyword"] for line in run.lines} == {"pics", "few"}
    assert run.keys("few") == [line.key for line in lines_of("few")]
    assert sorted(path.name for path in (lab.data / "images").iterdir()) == ["few", "pics"]
    assert [page.route.lower() for page in run.pages] == ["/r/pics/hot", "/r/few/hot"]


def test_the_token_is_asked_for_once(by_api: tuple[Lab, Run]) -> None:
    _, run = by_api
    [asked] = run.tokens
    assert (asked.method, asked.status) == ("POST", 200)
    assert len({page.headers["authorization"] for page in run.pages}) == 1


@pytest.mark.parametrize("way", ["shreddit"], indirect=True)
def test_the_parts_of_a_page_follow_each_other_and_what_they_show_again_counts_once(way: tuple[Way, Lab, Run]) -> None:
    shown = [page("pics", limit=FIRST)]
    while shown[-1].after:
        shown.append(page("pics", after=shown[-1].after, limit=25))
    asked = [request.params.get("after") for request in way[2].listings("pics")]
    assert [after and name_of(after) for after in asked] == [None, *(part.after for part in shown[:-1])]
    posts = Counter(post.id for part in shown for post in part.posts)
    twice = {name for name, count in posts.items() if count > 1}
    lines = [(line["post"]["id"], line["post"]["position"]) for line in way[2].of("pics")]
    assert twice & {name for name, _ in lines} and len(set(lines)) == len(lines)


@pytest.mark.parametrize("way", ["rss", "saved feed"], indirect=True)
def test_the_pages_of_posts_are_asked_for_where_the_feed_does_not_say_enough(way: tuple[Way, Lab, Run]) -> None:
    expected, _, run = way
    galleries = {post.id for post in listing("pics") if post.kind == "gallery"}
    parents = {post.parent.id for post in listing("pics") if post.kind == "crosspost" and post.parent and not post.link}
    assert {page.host for page in run.pages if "/comments/" in page.route} == {"embed.reddit.com"}
    if expected.nsfw == "include":
        assert run.posts_asked == galleries | parents
        return
    pictures = {post.id for post in listing("pics") if post.pictures or post.is_partly_known}
    assert run.posts_asked >= pictures - {post.id for post in listing("pics") if post.parent}
    assert {post.id for post in listing("pics") if post.nsfw and post.kind != "video"} <= run.posts_asked
    assert len([page for page in run.pages if "/comments/" in page.route]) == len(run.posts_asked)
    assert {line["post"]["nsfw"] for line in run.lines if line["reason"] != "video"} == {False}


@pytest.mark.parametrize("way", ["rss"], indirect=True)
def test_films_for_adults_are_skipped_by_the_feed_too(way: tuple[Way, Lab, Run]) -> None:
    adult = {post.id for post in listing("pics") if post.nsfw}
    assert {post.kind for post in listing("pics") if post.nsfw} >= {"video"}
    assert not adult & {line["post"]["id"] for line in way[2].lines}


@pytest.mark.parametrize("way", ["saved json", "saved old", "saved feed"], indirect=True)
def test_of_a_saved_page_no_listing_is_asked_for(way: tuple[Way, Lab, Run]) -> None:
    _, _, run = way
    assert not run.tokens
    assert {page.host for page in run.pages} <= {"old.reddit.com", "embed.reddit.com"}
    assert all("/comments/" in page.route for page in run.pages)
    assert "/r/pics/" not in run.done.stderr


def test_of_a_saved_page_that_goes_on_only_what_it_shows_is_stored(lab: Lab, tmp_path: Path) -> None:
    lab.save(f"{WWW}/r/galleries/", tmp_path / "galleries.html")
    shown = parse_listing((tmp_path / "galleries.html").read_text("utf-8"), url=f"{WWW}/r/galleries/")
    posts = [post.id for post in shown.posts]
    assert shown.next_url and len(posts) < len(listing("galleries"))
    run = lab.crawl(f"page={tmp_path / 'galleries.html'}", "name=My_folder", "previews=never")
    expected = [line.key for line in lines_of("galleries") if line.post.id in posts]
    assert run.keys("My_folder") == expected
    assert all("/comments/" in page.route for page in run.pages)


def test_a_saved_listing_of_our_own_and_a_host_that_wants_no_robots(lab: Lab, tmp_path: Path) -> None:
    posts = [
        {"name": f"t3_z{number}", "title": f"Number {number}", "subreddit": name, "url": url, "over_18": False}
        for number, (name, url) in enumerate([
            ("one", f"https://{PRIVATE_HOST}/jpeg/300x200/hidden.jpg"),
            ("two", "https://photos.example/jpeg/300x200/open.jpg"),
        ])
    ]  # fmt: skip
    children = [{"kind": "t3", "data": post} for post in posts]
    (tmp_path / "mine.json").write_text(
        json.dumps({"kind": "Listing", "data": {"children": children, "after": "t3_z9"}})
    )
    run = lab.crawl(f"page={tmp_path / 'mine.json'}")
    assert run.keys("mine") == [("z0", 1, "refused", "robots-txt"), ("z1", 1, "stored", None)]
    assert not run.pages
    assert [request.route for request in run.log if request.host == PRIVATE_HOST] == ["/robots.txt"]


def test_what_is_only_listed_is_asked_of_no_host_and_what_is_no_picture_is_said_all_the_same(
    lab: Lab, tmp_path: Path
) -> None:
    posts: list[dict[str, Any]] = [
        {"url": "https://i.redd.it/listed0000001.jpg"},
        {"url": "https://v.redd.it/film000000001", "is_video": True},
        {"url": "https://i.imgur.com/removed.png"},
        {"url": "https://photos.example/jpeg/300x200/last.jpg"},
    ]
    children = [
        {"kind": "t3", "data": {"name": f"t3_z{number}", "title": "One", "subreddit": "mine", "over_18": False, **post}}
        for number, post in enumerate(posts)
    ]
    (tmp_path / "mine.json").write_text(json.dumps({"kind": "Listing", "data": {"children": children}}))
    run = lab.crawl(f"page={tmp_path / 'mine.json'}", "download=0")
    assert run.keys("mine") == [
        ("z0", 1, "listed", None),
        ("z1", None, "refused", "video"),
        ("z2", None, "failed", "removed"),
        ("z3", 1, "listed", None),
    ]
    assert not run.log and not run.done.pictures
    assert run.done.stdout.splitlines() == [f"mine\t{posts[number]['url']}" for number in (0, 3)]
    assert run.done.verdict == "Done: 2 pictures listed, 1 refused, 1 failed"


# Once more


@pytest.fixture
def copy(by_api: tuple[Lab, Run], tmp_path: Path) -> Lab:
    """After the crawl by API, in a copy."""
    lab, _ = by_api
    return Lab(lab.replica, shutil.copytree(lab.data, tmp_path / "copy"))


def test_again_only_the_listing_is_asked_for(by_api: tuple[Lab, Run], copy: Lab) -> None:
    _, first = by_api
    held = {path: path.stat().st_mtime_ns for path in Crawl(0, "", "", copy.data).pictures}
    run = copy.crawl(*WAYS["api"].words, env=APP)
    albums = {request.url for request in first.media if request.host == "imgur.com"}
    assert [page.url for page in run.pages] == [page.url for page in first.pages]
    assert {request.url for request in run.media} == albums
    assert {path: path.stat().st_mtime_ns for path in run.done.pictures} == held
    for keyword in ("pics", "few"):
        again = {"stored": "uptodate"}
        expected = [
            (post, position, again.get(outcome, outcome), reason)
            for post, position, outcome, reason in first.keys(keyword)
        ]
        assert run.keys(keyword) == expected
    assert run.outcomes["stored"] == 0


def test_retry_asks_for_what_was_removed_and_nothing_else(by_api: tuple[Lab, Run], copy: Lab) -> None:
    removed = [line for line in by_api[1].lines if line["reason"] == "removed"]
    before, lines = len(copy.replica.requests), len(Crawl(0, "", "", copy.data).items)
    done = copy.command("retry", "subreddit", "--reason", "removed")
    assert done.returncode == 0, done.stderr
    run = Run(Crawl(0, "", "", copy.data), Crawl(0, "", "", copy.data).items[lines:], copy.replica.requests[before:])
    assert not run.pages and not run.tokens
    asked = Counter(request.url for request in run.media)
    imgur = asked.pop("https://i.imgur.com/removed.png")
    lost = {url for line in removed for url in line["image_urls"] if line["outcome"] == "failed"}
    copied = {line["image_urls"][0] for line in removed if line["outcome"] == "stored"}
    assert asked == dict.fromkeys(lost | copied, 1)
    assert imgur == len([url for url in asked if "imgur" in url])
    again = {"stored": "uptodate"}
    expected = [key_of({**line, "outcome": again.get(line["outcome"], line["outcome"])}) for line in removed]
    assert Counter(map(key_of, run.lines)) == Counter(expected)
    assert {line["rank"]: line["post"] for line in run.lines} == {line["rank"]: line["post"] for line in removed}


# Less than all


def test_posts_for_adults_only(lab: Lab) -> None:
    run = lab.crawl("name=pics+over18+few", "nsfw=only", "previews=never", env=APP, code=6)
    for name in ("pics", "over18"):
        assert run.keys(name) == [line.key for line in lines_of(name, nsfw="only", copies=lambda _: False)]
        assert run.of(name)
    assert {line["post"]["nsfw"] for line in run.lines} == {True}
    assert run.word("few") == "page: no-results"
    assert f"few: none of {len(listing('few'))} posts is wanted: nsfw {len(listing('few'))}" in run.done.stderr
    assert run.done.verdict.startswith("Ended: no-results (exit code 6): ")


SEVERAL = ("gallery", "imgur-album")


def shown(post: Post) -> str:
    """The kind of what a post shows."""
    return (post.parent or post).kind


def chosen(name: str, wants: Callable[[Line], bool]) -> list[tuple[str, int | None, str, str | None]]:
    """Of the lines without adults and copies those that are wanted; what comes first is no duplicate."""
    seen: set[str] = set()
    found = []
    for line in lines_of(name, nsfw="skip", copies=lambda _: False):
        if not wants(line):
            continue
        url = line.picture.url if line.picture else line.post.id
        again = {"duplicate": "stored"} if url not in seen else {"stored": "duplicate"}
        found.append((line.post.id, line.position, again.get(line.outcome, line.outcome), line.reason))
        seen.add(url)
    return found


@pytest.fixture(scope="module")
def firsts(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Run:
    words = ("name=pics", "galleries=first", "min_score=100", "previews=never")
    return labs(replica, tmp_path_factory, "firsts").crawl(*words, env=APP)


def test_the_first_of_each_gallery_of_posts_with_a_score_and_no_copies(firsts: Run) -> None:
    albums = {post.id for post in listing("pics") if shown(post) == "imgur-album"}
    wanted = chosen(
        "pics", lambda line: line.post.score >= 100 and (shown(line.post) != "gallery" or line.position == 1)
    )
    assert [key for key in firsts.keys("pics") if key[0] not in albums] == [
        key for key in wanted if key[0] not in albums
    ]
    assert {post.score < 100 for post in listing("pics")} == {True, False}
    lost = [line for line in firsts.lines if line["reason"] == "removed"]
    assert lost and {line["outcome"] for line in lost} == {"failed"}
    assert [line for line in lost if line["thumbnail_url"]]
    assert not [request for request in firsts.media if "preview.redd.it" in request.host]
    assert {line["post"]["nsfw"] for line in firsts.lines} == {False}


def test_of_an_album_the_first_picture_is_that_of_its_page(firsts: Run) -> None:
    albums = [post for post in listing("pics") if shown(post) == "imgur-album" and post.score >= 100]
    found = {key[0]: key for key in firsts.keys("pics")}
    assert albums and [found[post.id] for post in albums] == [(post.id, 1, "stored", None) for post in albums]


@pytest.mark.slow
def test_without_galleries_no_more_than_the_limit_is_stored_or_asked_for(lab: Lab) -> None:
    limit = 21
    words = ("galleries=skip", "previews=never", "-L", "INFO")
    run = lab.crawl("name=pics+slowfeed+horizon", f"limit={limit}", *words, env=APP)
    single = chosen("pics", lambda line: shown(line.post) not in SEVERAL)
    found = run.keys("pics")
    assert found == single[: len(found)] and found[-1][2] == "stored"
    assert Counter(key[2] for key in found)["stored"] == limit < len(found)
    skipped = re.search(r"'posts/left_out/galleries': (\d+)", run.done.stderr)
    assert skipped and int(skipped[1]) > 3
    assert run.keys("slowfeed") == [line.key for line in lines_of("slowfeed")]
    assert run.keys("horizon") == [line.key for line in lines_of("horizon")]
    assert f"only {len(run.of('slowfeed'))} of {limit}: there are no more" in run.done.stderr


@pytest.mark.slow
def test_no_page_of_a_post_is_asked_for_beyond_the_limit(lab: Lab) -> None:
    run = lab.crawl("name=few", "limit=1", env=OUTSIDE)
    assert [line["outcome"] for line in run.lines] == ["stored"]
    assert len([page for page in run.pages if page.host == "embed.reddit.com"]) == 1


@pytest.mark.slow
def test_no_page_is_asked_for_beyond_the_limit(lab: Lab) -> None:
    run = lab.crawl("name=slowfeed+horizon", "limit=3", env=APP)
    for name, most in (("slowfeed", 2), ("horizon", 100)):
        assert run.keys(name) == [line.key for line in lines_of(name)][:3]
        posts = [post.name for post in listing(name)]
        last = posts.index(f"t3_{run.of(name)[-1]['post']['id']}")
        assert [page.params.get("after") for page in run.listings(name)] == [None, *posts[most - 1 : last : most]]
    assert len(run.media) == 6


@pytest.mark.slow
def test_the_best_of_a_month_of_subreddits_from_a_file(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("\ufeffr/pics,the first\nFew+pics\n\nearthpics,x\n", "utf-8")
    run = lab.crawl(f"names={tmp_path / 'names.csv'}", "sort=top", "time=month", "nsfw=include", "limit=6", env=APP)
    assert [page.route for page in run.pages] == ["/r/pics/top", "/r/Few/top", "/r/earthpics/top"]
    assert {page.params["t"] for page in run.pages} == {"month"}
    for name in ("pics", "few", "earthpics"):
        expected = [line.key for line in lines_of(name, sort="top", time="month")]
        assert run.keys(name) == expected[: len(run.of(name))]
        assert (
            len([line for line in run.of(name) if line["outcome"] == "stored"]) == min(6, len(expected))
            or name == "pics"
        )
    assert {line["keyword"] for line in run.lines} <= {"pics", "few", "earthpics"}


def test_what_divides_by_pages_of_old_reddit(lab: Lab, cookies: Path) -> None:
    run = lab.crawl("name=ratelimited", "sort=controversial", "time=all", f"cookies={cookies}", "-s", "USER_AGENT=x")
    assert run.keys("ratelimited") == [line.key for line in lines_of("ratelimited", sort="controversial")]
    asked = run.listings("ratelimited")
    assert {page.host for page in asked} == {"old.reddit.com"}
    assert {(page.params["t"], page.params["sort"]) for page in asked} == {("all", "controversial")}
    order = [post.name for post in listing("ratelimited", sort="controversial")]
    assert [page.params.get("after") for page in asked] == [None, *order[1:-1:2]]
    assert {page.headers["cookie"] for page in asked} == {SESSION}


@pytest.mark.parametrize(
    ("env", "words", "host"),
    [(APP, ("sort=new",), "oauth.reddit.com"), (OUTSIDE, ("sort=top", "time=year"), "www.reddit.com")],
)
def test_a_search(lab: Lab, env: dict[str, str], words: tuple[str, ...], host: str) -> None:
    run = lab.crawl("name=pics", "search=castle on", "nsfw=include", *words, env=env)
    asked = dict(word.split("=") for word in words)
    order: dict[str, Any] = {"sort": asked["sort"], "time": asked.get("time", "all"), "query": "castle on"}
    expected = [line.key for line in lines_of("pics", **order)]
    assert expected and run.keys("pics") == expected
    first = run.pages[0]
    assert first.host == host and first.route in {"/r/pics/search", "/r/pics/search.rss"}
    assert {name: first.params.get(name) for name in ("q", "restrict_sr", "sort", "t")} == {
        "q": "castle on", "restrict_sr": "1", "sort": asked["sort"], "t": asked.get("time"),
    }  # fmt: skip


# Rates


def windows_are_kept(log: list[LoggedRequest], most: int, seconds: float) -> bool:
    return all(after.time - first.time >= seconds - 0.01 for first, after in zip(log, log[most:], strict=False))


@pytest.fixture(scope="module")
def limited(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Run]:
    """A small window, and tokens that end too early; everything that can be said is, into a file.

    The credentials are settings, not of the environment.
    """
    lab = labs(replica, tmp_path_factory, "limited")
    log = ("-L", "DEBUG", "-s", f"LOG_FILE={lab.data.parent / 'crawl.log'}")
    app = ("-s", f"REDDIT_CLIENT_ID={CLIENT}", "-s", f"REDDIT_CLIENT_SECRET={PASSWORD}")
    return lab, lab.crawl("name=ratelimited+expiring", *log, *app)


class TestRates:
    @pytest.mark.parametrize("name", ["ratelimited", "expiring"])
    def test_all_pages_are_read(self, limited: tuple[Lab, Run], name: str) -> None:
        _, run = limited
        assert run.keys(name) == [line.key for line in lines_of(name)]
        names = [post.name for post in listing(name)]
        read = [page.params.get("after") for page in run.listings(name) if page.status == 200]
        assert read == [None, *names[1:-1:2]]

    def test_the_window_of_the_api_is_kept(self, limited: tuple[Lab, Run]) -> None:
        asked = limited[1].listings("ratelimited")
        assert {page.status for page in asked} == {200}
        assert len(asked) > 4 and windows_are_kept(asked, 4, 1)

    def test_a_token_that_is_refused_is_replaced_and_the_page_asked_for_again(self, limited: tuple[Lab, Run]) -> None:
        _, run = limited
        asked = run.listings("expiring")
        refused = [place for place, page in enumerate(asked) if page.status == 401]
        assert refused
        for place in refused:
            assert asked[place].url == asked[place + 1].url
            assert asked[place].headers["authorization"] != asked[place + 1].headers["authorization"]
        assert len(run.tokens) == 1 + len(refused)

    def test_a_refused_token_stands_nowhere(self, limited: tuple[Lab, Run]) -> None:
        lab, run = limited
        assert len((lab.data.parent / "crawl.log").read_text("utf-8")) > 10_000
        assert run.tokens and any(lab.data.rglob("*.jsonl")) and (lab.data / "ledger.sqlite3").stat().st_size
        assert secrets_in(run, lab.data.parent) == []


def secrets_in(run: Run, folder: Path, *words: str) -> list[tuple[str, str]]:
    """Where a file, its name or a word at the terminal has any of the words, or anything by which a crawl may ask."""
    sent = [request.headers["authorization"].split()[1] for request in run.log if "authorization" in request.headers]
    parts = [re.escape(word) for word in {PASSWORD, CLIENT, *words, *sent, "reddit_session"}]
    secret = re.compile("|".join([r"replica\d{4}-", *parts]).encode())
    told = {str(path): path.name.encode() + path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told["terminal"] = (run.done.stderr + run.done.stdout).encode()
    return [(where, found[0].decode()) for where, text in told.items() if (found := secret.search(text))]


@pytest.mark.slow
def test_a_slow_feed_is_read_once_a_second(lab: Lab) -> None:
    run = lab.crawl("name=slowfeed", "limit=3", "nsfw=include")
    assert run.keys("slowfeed") == [line.key for line in lines_of("slowfeed")][:3]
    asked = run.listings("slowfeed")
    assert len(asked) == 3 and {page.status for page in asked} == {200}
    assert windows_are_kept(asked, 1, 1)
    assert "asks to wait" not in run.done.stderr  # short waits are no news


@pytest.mark.slow
def test_no_request_follows_closely_on_a_refusal_of_the_feed(lab: Lab) -> None:
    run = lab.crawl("name=pardner", "nsfw=include")
    assert run.keys("pardner") == [line.key for line in lines_of("pardner")]
    assert [page.status for page in run.pages] == [429, 200] * 2
    assert all(second.time - first.time >= 0.99 for first, second in pairwise(run.pages) if first.status == 429)


@pytest.mark.slow
def test_a_slow_feed_is_read_to_its_end(lab: Lab) -> None:
    run = lab.crawl("name=slowfeed", "nsfw=include")
    assert run.keys("slowfeed") == [line.key for line in lines_of("slowfeed")]
    asked = run.listings("slowfeed")
    assert len(asked) == len(listing("slowfeed")) / 2 + 1  # a feed does not say where it ends
    assert {page.status for page in asked} == {200}
    assert windows_are_kept(asked, 1, 1)


@pytest.mark.slow
def test_a_token_that_ends_is_replaced(lab: Lab) -> None:
    slowly = ("-s", "DOWNLOAD_DELAY=0.45", "-s", "RANDOMIZE_DOWNLOAD_DELAY=False")
    run = lab.crawl("name=slowfeed", *slowly, env={**APP, "REDDIT_CLIENT_ID": "replica-short"})
    assert run.keys("slowfeed") == [line.key for line in lines_of("slowfeed")]
    tokens = list(dict.fromkeys(page.headers["authorization"] for page in run.pages))
    assert len(tokens) == len(run.tokens) > 1
    assert [page.status for page in run.pages].count(401) == 0


def test_a_token_is_replaced_a_little_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now, issued, sent = [1000.0], [], []

    async def issue() -> Token:
        issued.append(now[0])
        return Token(value=f"token{len(issued)}", lifetime=100)

    async def ask(request: Request) -> Response:
        sent.append(request.headers["Authorization"])
        return Response(request.url)

    async def story() -> None:
        access = AppAccess(ask, issue)
        for now[0] in (1000.0, 1080.0, 1089.9, 1090.0, 1179.9, 1180.0):
            await access.ask(Request("https://oauth.reddit.com/"))

    monkeypatch.setattr("imagecrawl.oauth.time.monotonic", lambda: now[0])
    asyncio.run(story())
    assert issued == [1000.0, 1090.0, 1180.0]
    assert sent == [b"bearer token1"] * 3 + [b"bearer token2"] * 2 + [b"bearer token3"]


# Walls

WORDS = {
    "private": "private", "banned": "banned", "quarantined": "quarantined", "gated": "quarantined",
    "over18": "over-18", "notfound": "no-subreddit", "nosuchname": "no-subreddit", "brokenserver": "refused",
    "error200": "refused", "empty": "no-results", "loginwall": "login",
    "networkblocked": "network-block", "policyblocked": "network-block", "jscheck": "javascript",
}  # fmt: skip
SAID = {
    "private": "says that this community is private", "banned": "says that this community has been banned",
    "quarantined": "has quarantined this community", "gated": "has quarantined this community",
    "notfound": "has no community of that name", "nosuchname": "has no community of that name",
    "brokenserver": "Reddit answered 500", "error200": "Reddit answered 500", "empty": "there is nothing here",
    "loginwall": "answers only those who are logged in",
    "networkblocked": "turns away this network address", "policyblocked": "turns away this network address",
    "jscheck": "wants proof that a browser is asking", "over18": "18",
}  # fmt: skip


@dataclass(frozen=True)
class Walls:
    """Subreddits with walls, the last of which ends the crawl; and those that can be read all the same."""

    env: tuple[tuple[str, str], ...]
    walls: tuple[str, ...]
    readable: tuple[str, ...]
    words: tuple[str, ...] = ()
    unkept: tuple[str, ...] = ()
    """Walls that are no page."""

    @property
    def names(self) -> str:
        return "+".join([*self.walls[:-1], *self.readable, self.walls[-1], "earthpics", "galleries"])


STANDING = ("private", "banned", "quarantined", "gated", "over18", "notfound", "nosuchname", "brokenserver", "empty")
WALLS = {
    "api": Walls(
        tuple(APP.items()), (*STANDING, "error200", "policyblocked"), ("pardner", "truncated"),
        unkept=("over18",),
    ),
    "old": Walls(
        tuple(OUTSIDE.items()), (*STANDING, "loginwall"), ("few",), ("cookies=COOKIES", "-L", "DEBUG"),
    ),
    "shreddit": Walls(tuple(OUTSIDE.items()), (*STANDING, "jscheck"), ("few",), ("via=html",)),
    "rss": Walls(tuple(OUTSIDE.items()), (*STANDING, "networkblocked"), ("few",), unkept=("over18",)),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(WALLS))
def walls(
    request: pytest.FixtureRequest, replica: Replica, tmp_path_factory: pytest.TempPathFactory, cookies: Path
) -> tuple[Walls, Lab, Run]:
    lab = labs(replica, tmp_path_factory, "walls")
    met = WALLS[request.param]
    words = [word.replace("COOKIES", str(cookies)) for word in met.words]
    return met, lab, lab.crawl(f"name={met.names}", *words, env=dict(met.env), code=3)


class TestWalls:
    def test_each_has_its_own_word(self, walls: tuple[Walls, Lab, Run]) -> None:
        met, _, run = walls
        assert {wall: run.word(wall) for wall in met.walls} == {wall: f"page: {WORDS[wall]}" for wall in met.walls}
        for wall in met.walls:
            [said] = [line for line in run.done.stderr.splitlines() if f"ERROR: {wall}: " in line]
            assert SAID[wall] in said

    def test_its_page_is_kept_and_the_log_says_where(self, walls: tuple[Walls, Lab, Run]) -> None:
        met, _, run = walls
        kept = {path.name.split("Z-", 1)[1].rpartition(".")[0]: path for path in run.done.blocked}
        assert set(kept) == {f"{wall}-{WORDS[wall]}" for wall in met.walls if wall not in met.unkept}
        for path in kept.values():
            assert len([line for line in run.done.stderr.splitlines() if f"page kept as {path};" in line]) == 1
            assert path.stat().st_size or "brokenserver" in path.name

    def test_the_one_that_blocks_everything_ends_the_crawl(self, walls: tuple[Walls, Lab, Run]) -> None:
        met, _, run = walls
        assert "Not asked for any more: earthpics, galleries\n" in run.done.stderr
        [verdict] = [line for line in run.done.stderr.splitlines() if line.startswith("Ended: ")]
        assert verdict.startswith("Ended: blocked (exit code 3): ") and verdict.endswith("2 keywords not asked for")
        assert not run.listings("earthpics") and not run.listings("galleries")
        assert len(run.listings(met.walls[-1])) >= 1
        others = {post.id for name in met.walls[:-1] for post in listing(name)}
        assert not others & {line["post"]["id"] for line in run.lines}

    def test_what_can_be_read_is_read(self, walls: tuple[Walls, Lab, Run]) -> None:
        met, _, run = walls
        for name in met.readable:
            assert run.keys(name) == [line.key for line in lines_of(name)]
            assert run.word(name) == ""
        assert {line["keyword"] for line in run.lines} == set(met.readable)

    def test_no_secret_is_told(self, walls: tuple[Walls, Lab, Run]) -> None:
        _, lab, run = walls
        assert run.done.blocked and (lab.data / "ledger.sqlite3").stat().st_size
        assert secrets_in(run, lab.data) == []

    def test_reddit_is_told_who_asks(self, walls: tuple[Walls, Lab, Run]) -> None:
        assert {page.headers["user-agent"] for page in walls[2].pages} == {AGENT}
        assert not [page for page in walls[2].pages if page.route == "/robots.txt"]


@pytest.mark.parametrize("walls", ["api"], indirect=True)
def test_who_is_told_to_wait_leaves_the_whole_host_alone(walls: tuple[Walls, Lab, Run]) -> None:
    _, _, run = walls
    api = [page for page in run.pages if page.host == "oauth.reddit.com"]
    refused = [place for place, page in enumerate(api) if page.status == 429]
    assert all(api[place + 1].time - api[place].time >= 0.99 for place in refused)
    assert [page.status for page in run.listings("pardner")] == [429, 200]


@pytest.mark.slow
def test_who_is_told_to_wait_for_ever_leaves_reddit_alone(lab: Lab) -> None:
    run = lab.crawl("name=pardner_always+few", env=APP, code=3)
    assert {page.status for page in run.listings("pardner_always")} == {429}
    assert 1 < len(run.listings("pardner_always")) < 5
    assert run.word("pardner_always") == "page: rate-limited"
    assert "pardner_always: Reddit says that we ask too often" in run.done.stderr
    assert "Not asked for any more: few\n" in run.done.stderr and not run.listings("few")


@pytest.mark.parametrize("walls", ["api"], indirect=True)
def test_an_answer_that_ends_early_is_asked_for_again(walls: tuple[Walls, Lab, Run]) -> None:
    asked = walls[2].listings("truncated")
    assert len(asked) == 2 and len({page.url for page in asked}) == 1


@pytest.mark.parametrize(
    ("client", "word", "said"),
    [
        (
            {"REDDIT_CLIENT_SECRET": "replica-secret-wrong"},
            "credentials",
            "does not accept the token or the credentials",
        ),
        ({"REDDIT_CLIENT_ID": "replica-unauthorized"}, "credentials", "Reddit gives no token: unauthorized_client"),
        ({"REDDIT_CLIENT_ID": "replica-busy", "REDDIT_USERNAME": ""}, "rate-limited", "says that we ask too often"),
    ],
)
def test_credentials_that_give_no_token(lab: Lab, client: dict[str, str], word: str, said: str) -> None:
    env = {**APP, **client}
    run = lab.crawl("name=few+earthpics", "-L", "DEBUG", env=env, code=3)
    assert run.word("few") == f"page: {word}"
    assert f"few: Reddit {said.removeprefix('Reddit ')}" in run.done.stderr
    assert not run.pages and not run.lines
    assert "Not asked for any more: earthpics\n" in run.done.stderr
    nobody = [line for line in run.done.stderr.splitlines() if "WARNING" in line and "REDDIT_USERNAME" in line]
    assert len(nobody) == (not env["REDDIT_USERNAME"])
    assert secrets_in(run, lab.data, env["REDDIT_CLIENT_ID"], env["REDDIT_CLIENT_SECRET"]) == []


def test_an_app_without_a_secret_is_an_installed_one(lab: Lab) -> None:
    env = {**APP, "REDDIT_CLIENT_ID": "replica-installed", "REDDIT_CLIENT_SECRET": ""}
    run = lab.crawl("name=horizon", "-L", "INFO", env=env)
    [asked] = run.tokens
    assert parse_qs(asked.body.decode())["grant_type"] == ["https://oauth.reddit.com/grants/installed_client"]
    shown = listing("horizon")
    assert run.keys("horizon") == [line.key for line in lines_of("horizon")]
    assert len(run.of("horizon")) == len(shown) // 50
    warned = [line for line in run.done.stderr.splitlines() if "WARNING" in line]
    said = f"horizon: {len(shown)} posts were read, and Reddit lists about {len(shown)} at most"
    assert len([line for line in warned if said in line]) == 1
    after = [page.params.get("after") for page in run.listings("horizon")]
    assert after == [None, *(post.name for post in shown[99:-1:100])]
    assert f"'posts/left_out/no-picture': {len(shown) - len(run.lines)}," in run.done.stderr


# The captured listing


@pytest.mark.skipif(not reddit_captured.CAPTURE.is_file(), reason="../shared is not there")
def test_every_post_of_the_captured_listing_is_accounted_for(lab: Lab) -> None:
    text = reddit_captured.CAPTURE.read_text("utf-8")
    posts = parse_listing(text, url="https://oauth.reddit.com/r/captured/hot?raw_json=1").posts
    assert len(posts) == len(reddit_captured.children()) == 100
    run = lab.crawl("name=captured", "nsfw=include", "-L", "INFO", env=APP)
    expected: list[tuple[str, int | None]] = []
    left_out = Counter[str]()
    for post in posts:
        assert not post.more_url
        expected += [(post.id, picture.position) for picture in post.pictures]
        if post.skipped in {Skipped.VIDEO, Skipped.REMOVED}:
            expected.append((post.id, None))
        elif post.skipped:
            left_out[post.skipped] += 1
    [keyword] = {line["keyword"] for line in run.lines}
    assert [key[:2] for key in run.keys(keyword)] == expected
    assert {(line["outcome"], line["reason"]) for line in run.lines if line["post"]["position"]} == {("stored", None)}
    told = dict(re.findall(r"'posts/left_out/([\w-]+)': (\d+)", run.done.stderr))
    assert told == {name: str(count) for name, count in left_out.items()}
    assert len({line["post"]["id"] for line in run.lines}) + left_out.total() == 100
    captions = {(post.id, picture.position): picture.caption for post in posts for picture in post.pictures}
    found = {(line["post"]["id"], line["post"]["position"]): line["post"]["caption"] for line in run.lines}
    assert captions.items() <= found.items()


# A signal


def test_a_bound_that_is_met_ends_it_while_items_are_under_way(lab: Lab) -> None:
    run = lab.crawl("name=pics", "limit=50", "-s", "CLOSESPIDER_ITEMCOUNT=3", env=APP, code=8)
    assert run.done.verdict.startswith("Ended: closespider_itemcount (exit code 8): ")
    assert "Traceback" not in run.done.stderr
    assert " of 50: stopped" in run.done.stderr and "there are no more" not in run.done.stderr
    assert {"stored", "failed"} >= {line["outcome"] for line in run.lines if line["reason"] != "video"}


def test_a_signal_ends_it_and_the_same_command_completes(lab: Lab) -> None:
    slowly = ("-s", "CONCURRENT_REQUESTS=1", "-s", "CONCURRENT_ITEMS=2", "-s", "DOWNLOAD_DELAY=0.5")
    env = environment(lab.data, lab.replica.environment(), APP)
    said = crawling.interrupted("subreddit", "-a", "name=galleries+few", *slowly, env=env)
    assert "Ended: shutdown (exit code 8)" in said
    assert "Not asked for any more: few" in said
    assert re.search(r"^ ?galleries .*stopped", said, re.MULTILINE)
    lines = Crawl(8, "", said, lab.data).items
    stored = [line for line in lines if line["outcome"] == "stored"]
    assert stored and {line["reason"] for line in lines if line not in stored} <= {"stopped"}
    run = lab.crawl("name=galleries+few", env=APP)
    for name in ("galleries", "few"):
        assert [key[:2] for key in run.keys(name)] == [line.key[:2] for line in lines_of(name)]
    assert run.outcomes == {"stored": len(run.lines) - len(stored), "uptodate": len(stored)}
