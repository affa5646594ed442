"""Reddit and imgur in the replica: what tests of the crawler take for granted about them."""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import pytest
from parsel import Selector
from PIL import Image

from tests.replica import Replica, reddit_captured, subreddits
from tests.replica.reddit_api import SHARE
from tests.replica.reddit_imgur import REMOVED
from tests.replica.reddit_posts import KINDS, NOW, TRAPS, WWW, Picture, Post, preview_hash
from tests.replica.reddit_shreddit import cursor, name_of
from tests.replica.reddit_state import PASSWORD, REFRESH_TOKEN, USER
from tests.replica.subreddits import SCENARIOS, SORTS, listing, wanted
from tests.test_replica import connect

OAUTH, OLD = "https://oauth.reddit.com", "https://old.reddit.com"
TOKEN_URL = f"{WWW}/api/v1/access_token"
AGENT = "linux:replica-tests:1.0 (by /u/replica_user)"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
SESSION = {"Cookie": "reddit_session=replica"}
INSTALLED = "https://oauth.reddit.com/grants/installed_client"

Reply = tuple[int, dict[str, str], bytes]
Get = Callable[..., Reply]

PICS = listing("pics")


@pytest.fixture(scope="module")
def get(replica: Replica) -> Iterator[Get]:
    """GET, or POST of a form, without following redirects; a connection for each host."""
    connections: dict[str, HTTPConnection] = {}

    def send(url: str, form: dict[str, str] | None = None, **headers: str) -> Reply:
        host = urlsplit(url).netloc
        connection = connections.setdefault(host, connect(replica, url))
        headers = {"User-Agent": AGENT, "Accept": "*/*"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        body = None if form is None else urlencode(form)
        path = urlsplit(url)._replace(scheme="", netloc="").geturl()
        connection.request("GET" if form is None else "POST", path, body, headers)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()

    yield send
    for connection in connections.values():
        connection.close()


def basic(client: str = "replica-id", secret: str = "replica-secret") -> str:
    return f"Basic {b64encode(f'{client}:{secret}'.encode()).decode()}"


def new_token(get: Get, client: str = "replica-id") -> str:
    status, _, body = get(TOKEN_URL, {"grant_type": "client_credentials"}, Authorization=basic(client))
    assert status == 200
    return f"bearer {json.loads(body)['access_token']}"


@pytest.fixture
def api(get: Get) -> Get:
    """GET on the API, with a token of its own."""
    token = new_token(get)

    def send(path: str, **params: str | int) -> Reply:
        query = f"?{urlencode({'raw_json': 1, **params}, safe='+')}"
        return get(f"{OAUTH}{path}{query}", Authorization=token)

    return send


def pages_of(api: Get, path: str, **params: Any) -> list[dict]:
    """Every page of a listing."""
    found, after = [], ""
    while True:
        status, _, body = api(path, **params, **({"after": after} if after else {}))
        assert status == 200
        found.append(json.loads(body)["data"])
        after = found[-1]["after"]
        if not after:
            return found


def once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


def names(page: dict) -> list[str]:
    return [child["data"]["name"] for child in page["children"]]


def all_names(pages: list[dict]) -> list[str]:
    return [name for page in pages for name in names(page)]


def post_titled(title: str) -> Post:
    (found,) = (post for post in PICS if post.title == title)
    return found


def of_kind(kind: str) -> Post:
    return next(post for post in PICS if post.kind == kind)


def is_picture(body: bytes) -> bool:
    with Image.open(BytesIO(body)) as picture:
        picture.load()
    return True


# --- the catalogue ---


def test_the_main_subreddit_has_every_kind_of_post():
    assert 50 <= len(PICS) <= 65
    assert {post.kind for post in PICS} == set(KINDS)
    assert {item.trap for item in (found.picture for found in wanted("pics"))} - {""} == set(TRAPS)
    assert {item.state for post in PICS for item in post.media} == {"valid", "deleted", "failed", "video", "unlisted"}
    assert {0, 100_000} <= {post.score for post in PICS}
    assert {len(post.pictures) for post in listing("galleries")} == {2, 3, 4, 5}


def test_ids_times_and_addresses_are_unique():
    posts = [post for name in SCENARIOS for post in listing(name)]
    assert len({post.id for post in posts}) == len(posts)
    for name in SCENARIOS:
        assert len({post.created for post in listing(name)}) == len(listing(name))
    assert all(post.created <= NOW for post in posts)
    bodies: dict[bytes, set[str]] = {}
    for picture in subreddits.pictures():
        bodies.setdefault(picture.whole, set()).add(picture.url)
    assert all(len(urls) == 1 for urls in bodies.values())


def test_outcomes_of_the_main_subreddit():
    found = wanted("pics")
    assert {item.reason for item in found if item.outcome == "failed"} == {
        "removed", "not-an-image", "truncated", "empty",
    }  # fmt: skip
    (duplicate,) = (item for item in found if item.outcome == "duplicate")
    assert duplicate.post.title == "Seen once more"
    saved = [item for item in wanted("pics", previews=True) if item.outcome == "stored" and item.reason]
    assert [item.post.kind for item in saved] == ["image", "external", "imgur"]
    assert {item.post.nsfw for item in wanted("pics", nsfw="skip")} == {False}
    assert {item.post.nsfw for item in wanted("pics", nsfw="only")} == {True}


def test_sorts_and_periods():
    assert [post.created for post in listing("pics", "new")] == sorted((p.created for p in PICS), reverse=True)
    assert [post.score for post in listing("pics", "top")] == sorted((p.score for p in PICS), reverse=True)
    assert PICS[0].stickied and PICS[1].stickied
    lengths = [len(listing("pics", "top", period)) for period in ("hour", "day", "week", "month", "year", "all")]
    assert lengths == sorted(lengths) and 0 < lengths[1] < lengths[2] < lengths[4] < lengths[5]
    assert 0 < len(listing("pics", "rising")) < len(PICS)
    assert {post.subreddit for post in listing("few+galleries")[:2]} == {"few", "galleries"}
    assert all("boat" in post.title.lower() for post in listing("pics", query="BOAT"))


# --- tokens ---


@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        (basic(), {"grant_type": "client_credentials"}),
        (basic(), {"grant_type": "password", "username": USER, "password": PASSWORD}),
        (basic(), {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}),
        (basic("replica-installed", ""), {"grant_type": INSTALLED, "device_id": "DO_NOT_TRACK_THIS_DEVICE"}),
    ],
)
def test_every_grant_gives_a_token(get, authorization, form):
    status, headers, body = get(TOKEN_URL, form, Authorization=authorization)
    answer = json.loads(body)
    assert status == 200 and headers["content-type"].startswith("application/json")
    assert {"token_type": "bearer", "expires_in": 86_400, "scope": "*"}.items() <= answer.items()
    assert answer.get("device_id") == form.get("device_id") and len(answer["access_token"]) > 700
    assert "x-ratelimit-remaining" in headers
    assert get(f"{OAUTH}/r/few/hot", Authorization=f"BEARER {answer['access_token']}")[0] == 200


@pytest.mark.parametrize(
    ("authorization", "form", "status", "error"),
    [
        (basic("replica-id", "wrong"), {"grant_type": "client_credentials"}, 401, 401),
        (basic("replica-id", ""), {"grant_type": "client_credentials"}, 401, 401),
        (basic("nobody"), {"grant_type": "client_credentials"}, 401, 401),
        ("Basic ???", {"grant_type": "client_credentials"}, 401, 401),
        (basic("replica-installed", ""), {"grant_type": "client_credentials"}, 200, "unauthorized_client"),
        (basic("replica-installed", ""), {"grant_type": INSTALLED, "device_id": "short"}, 200, "invalid_request"),
        (basic(), {"grant_type": "password", "username": USER, "password": "wrong"}, 200, "invalid_grant"),
        (basic(), {"grant_type": "refresh_token", "refresh_token": "wrong"}, 200, "invalid_grant"),
        (basic(), {"grant_type": "kindness"}, 200, "unsupported_grant_type"),
        (basic(), {}, 400, 400),
        (basic("replica-unauthorized"), {"grant_type": "client_credentials"}, 200, "unauthorized_client"),
        (basic("replica-busy"), {"grant_type": "client_credentials"}, 429, 429),
    ],
)
def test_what_gets_no_token(get, authorization, form, status, error):
    reply = get(TOKEN_URL, form, Authorization=authorization)
    assert (reply[0], json.loads(reply[2])["error"]) == (status, error)


def test_a_token_ends(get):
    token = new_token(get, "replica-short")
    url = f"{OAUTH}/r/few/hot"
    assert get(url, Authorization=token)[0] == 200
    time.sleep(2.05)
    status, headers, body = get(url, Authorization=token)
    assert (status, json.loads(body)) == (401, {"message": "Unauthorized", "error": 401})
    assert headers["www-authenticate"] == 'Bearer realm="reddit", error="invalid_token"'


def test_a_token_can_end_before_its_time(api, get):
    first = [api("/r/expiring/hot", after=after)[0] for after in ("", listing("expiring")[1].name, "")]
    assert first == [200, 200, 401]
    assert api("/r/few/hot")[0] == 401
    assert get(f"{OAUTH}/r/expiring/hot", Authorization=new_token(get))[0] == 200


def test_the_api_wants_a_token(get):
    assert get(f"{OAUTH}/r/few/hot")[0] == 401
    assert get(f"{OAUTH}/r/few/hot", Authorization="bearer made-up")[0] == 401


# --- listings ---


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [5, 25, 100])
def test_pages_give_the_whole_listing(api, sort, limit):
    pages = pages_of(api, f"/r/pics/{sort}", limit=limit, t="all")
    found = all_names(pages)
    assert once(found) == [post.name for post in listing("pics", sort)]
    assert all(page["dist"] == len(page["children"]) for page in pages if page["children"])
    assert pages[-1]["after"] is None
    if sort in {"hot", "new"} and limit < 100:
        assert len(found) > len(once(found))


def test_a_page_has_stickies_on_top_and_may_be_short(api):
    lengths = [len(page["children"]) for page in pages_of(api, "/r/pics/hot")]
    assert lengths[0] == 26 and any(length < 25 for length in lengths[1:-1])
    assert len(lengths) >= 3


def test_after_need_not_be_a_post_that_was_shown(api):
    pages = pages_of(api, "/r/pics/hot", limit=1)
    assert any(page["after"] and page["after"] not in names(page) for page in pages)
    assert any(page["after"] and not page["children"] for page in pages)
    assert once(all_names(pages)) == [post.name for post in PICS]


def test_the_limit_is_clamped(api):
    assert len(json.loads(api("/r/horizon/new", limit=500)[2])["data"]["children"]) == 100
    assert len(json.loads(api("/r/horizon")[2])["data"]["children"]) == 25


def test_no_listing_goes_beyond_a_thousand(api):
    found = all_names(pages_of(api, "/r/horizon/new.json", limit=100))
    assert len(found) == len(set(found)) == 1000
    assert found == [post.name for post in listing("horizon", "new")]


def test_an_empty_listing(api):
    empty = {"modhash": "", "children": [], "after": None, "before": None}
    assert json.loads(api("/r/empty/hot")[2]) == {"kind": "Listing", "data": empty}


def test_texts_are_escaped_unless_raw(api):
    post = post_titled("Cats & dogs <on a wall>")
    raw, escaped = (
        next(
            child["data"]
            for child in json.loads(api("/r/pics/hot", limit=100, raw_json=flag)[2])["data"]["children"]
            if child["data"]["name"] == post.name
        )
        for flag in (1, 0)
    )
    assert (raw["title"], escaped["title"]) == (post.title, "Cats &amp; dogs &lt;on a wall&gt;")
    source = raw["preview"]["images"][0]["source"]["url"]
    assert source == post.media[0].preview_url and "&s=" in source
    assert escaped["preview"]["images"][0]["source"]["url"] == source.replace("&", "&amp;")


def test_a_search(api):
    pages = pages_of(api, "/r/pics/search", q="castle", restrict_sr=1, sort="new", t="all", limit=3)
    assert once(all_names(pages)) == [post.name for post in listing("pics", "new", query="castle")]


def test_several_subreddits_at_once(api):
    found = all_names(pages_of(api, "/r/few+galleries/hot", limit=4))
    assert found == [post.name for post in listing("few+galleries")]


def posts_json(api: Get) -> dict[str, dict]:
    return {
        child["data"]["name"]: child["data"]
        for page in pages_of(api, "/r/pics/hot", limit=100)
        for child in page["children"]
    }


def test_posts_say_what_real_ones_say(api):
    found = posts_json(api)
    for post in PICS:
        data = found[post.name]
        assert (data["title"], data["score"], data["over_18"]) == (post.title, post.score, post.nsfw)
        assert data["permalink"].startswith("/r/pics/comments/") and data["created_utc"] == post.created
        assert ("url_overridden_by_dest" in data) == (not data["is_self"])
        assert ("author_fullname" in data) == (data["author"] != "[deleted]")
        assert ("post_hint" in data and "preview" in data) <= post.hinted
    assert found[of_kind("video").name]["media"]["reddit_video"]["fallback_url"].endswith("?source=fallback")
    assert found[of_kind("poll").name]["poll_data"]["options"]
    assert found[post_titled("Taken away by a moderator, file still there").name]["removed_by_category"] == "moderator"


def test_galleries_have_their_own_order(api):
    found = posts_json(api)
    mixed = 0
    for post in (post for post in PICS if post.kind == "gallery"):
        data = found[post.name]
        assert data["is_gallery"] and "preview" not in data and "post_hint" not in data
        items, metadata = data["gallery_data"]["items"], data["media_metadata"]
        assert [item["media_id"] for item in items] == [item.id for item in post.media]
        shown = [
            f"https://i.redd.it/{item['media_id']}.{source.rpartition('.')[2] if animated else extension}"
            for item in items
            if (entry := metadata.get(item["media_id"])) and entry["status"] == "valid" and "s" in entry
            for animated, source in [("gif" in entry["s"], entry["s"].get("gif") or entry["s"]["u"])]
            for extension in [urlsplit(source).path.rpartition(".")[2]]
        ]
        assert shown == [item.url for item in post.pictures]
        mixed += list(metadata) != [item["media_id"] for item in items if item["media_id"] in metadata]
    assert mixed > 3
    holes = found[post_titled("Gallery with holes").name]
    assert sum(item["is_deleted"] for item in holes["gallery_data"]["items"]) == 1
    assert [entry for entry in holes["media_metadata"].values() if entry["status"] == "failed"] == [
        {"status": "failed"}
    ]


def test_crossposts_are_relative(api):
    found = posts_json(api)
    for post in (post for post in PICS if post.parent):
        data = found[post.name]
        (parent,) = data["crosspost_parent_list"]
        assert parent["name"] == data["crosspost_parent"] == post.parent.name
        assert "preview" not in data and "gallery_data" not in data
        if post.link:
            assert data["url"] == parent["url"]
        else:
            assert data["url"] == data["url_overridden_by_dest"] == parent["permalink"] and data["domain"] == ""


def test_the_page_of_a_post(api):
    post = of_kind("gallery")
    for path in (f"/comments/{post.id}", post.permalink, f"/r/pics/comments/{post.id}.json"):
        listings = json.loads(api(path)[2])
        assert listings[0]["data"]["children"][0]["data"]["name"] == post.name
        assert {child["kind"] for child in listings[1]["data"]["children"]} == {"t1", "more"}


# --- rates ---


def test_every_answer_says_how_much_is_left(api):
    seen = [api("/r/few/hot")[1] for _ in range(3)]
    assert [headers["x-ratelimit-used"] for headers in seen] == ["1", "2", "3"]
    assert [headers["x-ratelimit-remaining"] for headers in seen] == ["999.0", "998.0", "997.0"]
    assert all(0 < int(headers["x-ratelimit-reset"]) <= 600 for headers in seen)


def test_who_does_not_wait_is_refused(api, replica):
    before = len(replica.requests)
    replies = [api("/r/ratelimited/hot") for _ in range(6)]
    assert [reply[0] for reply in replies] == [200, 200, 200, 200, 429, 429]
    assert [reply[1]["x-ratelimit-remaining"] for reply in replies][:4] == ["3.0", "2.0", "1.0", "0.0"]
    assert replies[4][1]["retry-after"] == "1"
    time.sleep(1)
    status, headers, _ = api("/r/ratelimited/hot")
    assert (status, headers["x-ratelimit-remaining"]) == (200, "3.0")
    asked = replica.requests[before:]
    assert [request.status for request in asked] == [200] * 4 + [429] * 2 + [200]
    assert asked[6].time - asked[5].time >= 1 and asked[5].time - asked[0].time < 1


def test_who_obeys_the_headers_gets_everything(api):
    names_seen, after = [], ""
    while True:
        status, headers, body = api("/r/ratelimited/hot", **({"after": after} if after else {}))
        assert status == 200
        page = json.loads(body)["data"]
        names_seen += names(page)
        after = page["after"]
        if not after:
            break
        if float(headers["x-ratelimit-remaining"]) < 1:
            time.sleep(int(headers["x-ratelimit-reset"]))
    assert names_seen == [post.name for post in listing("ratelimited")]


# --- walls ---


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("private", 403, {"reason": "private", "message": "Forbidden", "error": 403}),
        ("banned", 404, {"reason": "banned", "message": "Not Found", "error": 404}),
        ("notfound", 404, {"message": "Not Found", "error": 404}),
        ("quarantined", 403, {"reason": "quarantined", "message": "Forbidden", "error": 403}),
        ("gated", 403, {"reason": "gated", "message": "Forbidden", "error": 403}),
        ("error200", 200, {"error": 500}),
    ],
)
def test_walls_in_json(api, name, status, body):
    reply = api(f"/r/{name}/hot")
    assert reply[0] == status and body.items() <= json.loads(reply[2]).items()


@pytest.mark.parametrize(
    ("name", "status", "mark"),
    [
        ("networkblocked", 403, b"blocked by network security"),
        ("policyblocked", 403, b"<title>Blocked</title>"),
        ("pardner_always", 429, b"whoa there, pardner!"),
    ],
)
def test_walls_of_html_in_every_way(api, get, name, status, mark):
    for reply in (
        api(f"/r/{name}/hot"),
        get(f"{WWW}/r/{name}/"),
        get(f"{WWW}/r/{name}/.rss"),
        get(f"{OLD}/r/{name}/", **SESSION),
    ):
        assert reply[0] == status and mark in reply[2] and reply[1]["content-type"].startswith("text/html")


def test_a_server_in_trouble(api, get):
    assert api("/r/brokenserver/hot")[::2] == (500, b"")
    assert get(f"{WWW}/r/brokenserver/")[::2] == (500, b"")
    assert b"reddit broke!" in get(f"{OLD}/r/brokenserver/", **SESSION)[2]


def test_what_passes_the_second_time(api, get):
    first, second = api("/r/pardner/hot"), api("/r/pardner/hot")
    assert (first[0], first[1]["retry-after"], second[0]) == (429, "1", 200)
    assert [get(f"{OLD}/r/pardner/", **SESSION)[0] for _ in range(2)] == [429, 200]
    cut, whole = (api("/r/truncated/hot")[2] for _ in range(2))
    assert whole.startswith(cut) and len(cut) < len(whole) and json.loads(whole)
    with pytest.raises(ValueError):
        json.loads(cut)


def test_a_subreddit_that_does_not_exist(api, get):
    status, headers, _ = api("/r/nosuchplace/hot")
    assert (status, headers["location"]) == (302, f"{OAUTH}/subreddits/search?q=nosuchplace")
    found = json.loads(api("/subreddits/search", q="nosuchplace")[2])
    assert {child["kind"] for child in found["data"]["children"]} == {"t5"}
    for host in (WWW, OLD):
        status, headers, _ = get(f"{host}/r/nosuchplace/", **SESSION)
        assert (status, headers["location"]) == (302, f"{host}/subreddits/search?q=nosuchplace")
        shown = Selector(get(headers["location"], **SESSION)[2].decode())
        assert not shown.css(".thing.link") and shown.css("title::text").get() == "search results"


@pytest.mark.parametrize(
    ("name", "status", "title", "heading"),
    [
        ("private", 403, "reddit.com: private", "You must be invited to visit this community"),
        ("banned", 404, "reddit.com: banned", "This community has been banned"),
        ("notfound", 404, "reddit.com: page not found", None),
    ],
)
def test_walls_of_old_reddit(get, name, status, title, heading):
    reply = get(f"{OLD}/r/{name}/", **SESSION)
    shown = Selector(reply[2].decode())
    assert (reply[0], shown.css("title::text").get()) == (status, title)
    assert shown.css(".interstitial .interstitial-message .md h3::text").get() == heading


@pytest.mark.parametrize(
    ("name", "place", "status", "cookie"),
    [
        ("over18", "over18", 200, "over18=1"),
        ("quarantined", "quarantine", 403, f"_options={quote(json.dumps({'pref_quarantine_optin': True}))}"),
        ("gated", "quarantine", 403, f"_options={quote(json.dumps({'pref_gated_sr_optin': True}))}"),
    ],
)
def test_gates_and_the_cookies_that_open_them(get, name, place, status, cookie):
    url = f"{OLD}/r/{name}/?count=25"
    reply = get(url, **SESSION)
    assert (reply[0], reply[1]["location"]) == (302, f"{OLD}/{place}?dest={quote(url, safe='')}")
    gate = get(reply[1]["location"], **SESSION)
    assert gate[0] == status and b'class="interstitial"' in gate[2]
    opened = get(url, Cookie=f"reddit_session=replica; {cookie}")
    assert len(Selector(opened[2].decode()).css(".thing.link")) == len(listing(name))


def test_saying_ones_age_sets_the_cookie(get):
    status, headers, _ = get(f"{OLD}/over18?dest={quote(OLD + '/r/over18/')}", {"over18": "yes"}, **SESSION)
    assert (status, headers["location"]) == (302, f"{OLD}/r/over18/")
    assert headers["set-cookie"].startswith("over18=1; Domain=.reddit.com")


def test_the_login_wall(get):
    url = f"{OLD}/r/pics/top/?t=all"
    for reply in (get(url), get(f"{OLD}/r/loginwall/", **SESSION), get(f"{OLD}/r/pics/.rss")):
        assert reply[0] == 302
        place = urlsplit(reply[1]["location"])
        assert place.path == "/login/" and parse_qs(place.query)["reason"] == ["lor2"]
        assert b"<title>Welcome to Reddit</title>" in get(reply[1]["location"])[2]


@pytest.mark.parametrize("url", [f"{WWW}/r/pics/hot.json", f"{WWW}/r/pics/.json?limit=5", "https://api.reddit.com/r/x"])
def test_json_is_closed_to_strangers(get, url):
    status, headers, body = get(url)
    assert status == 403 and headers["content-type"].startswith("text/html") and len(body) > 150_000


def test_json_is_open_to_who_is_logged_in(get):
    found = json.loads(get(f"{WWW}/r/few/new.json?raw_json=1", **SESSION)[2])["data"]
    assert names(found) == [post.name for post in listing("few", "new")]


def test_the_javascript_check(get):
    status, _, body = get(f"{WWW}/r/jscheck/")
    shown = Selector(body.decode())
    assert status == 200 and shown.css("title::text").get() == "Reddit - Please wait for verification"
    assert shown.css("form::attr(action)").get() == "/r/jscheck/"
    assert shown.css("form input::attr(name)").getall() == ["solution", "js_challenge", "token", "jsc_orig_r"]
    assert not shown.css("shreddit-post") and 7000 < len(body) < 10_000
    assert b"js_challenge" in get(f"{WWW}/svc/shreddit/community-more-posts/hot/?name=jscheck")[2]


@pytest.mark.parametrize("url", [f"{WWW}/r/few/", f"{OAUTH}/r/few/hot", f"{OLD}/r/few/", f"{WWW}/r/few/.rss"])
def test_clients_without_a_name(get, url):
    assert get(url, User_Agent="")[0] == 403
    for agent in ("python-requests/2.25.1", "Scrapy/2.13.0 (+https://scrapy.org)", "curl/8.5.0"):
        assert get(url, User_Agent=agent)[0] == 429
    form = {"grant_type": "client_credentials"}
    assert get(TOKEN_URL, form, User_Agent="", Authorization=basic())[0] == 403
    assert get(TOKEN_URL, form, User_Agent="python-requests/2.25.1", Authorization=basic())[0] == 429


@pytest.mark.parametrize("host", [WWW, OLD, OAUTH])
def test_robots_are_forbidden(get, host):
    assert get(f"{host}/robots.txt")[2] == b"User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("host", ["i.redd.it", "preview.redd.it", "v.redd.it", "i.imgur.com", "imgur.com"])
def test_hosts_of_media_have_no_robots_txt(get, host):
    assert get(f"https://{host}/robots.txt")[0] in {403, 404}


# --- old.reddit.com ---


def old_pages(get: Get, url: str) -> list[Selector]:
    found = []
    while url:
        status, _, body = get(url, **SESSION)
        assert status == 200
        found.append(Selector(body.decode()))
        url = found[-1].css("span.nextprev span.next-button a[rel='nofollow next']::attr(href)").get("")
    return found


@pytest.mark.parametrize("path", ["", "new/?sort=new&limit=10", "top/?sort=top&t=all"])
def test_old_pages_give_the_whole_listing(get, path):
    pages = old_pages(get, f"{OLD}/r/pics/{path}")
    things = [thing for page in pages for thing in page.css("#siteTable > div.thing")]
    own = [thing for thing in things if thing.attrib["data-promoted"] == "false"]
    sort = path.partition("/")[0] or "hot"
    assert once([thing.attrib["data-fullname"] for thing in own]) == [p.name for p in listing("pics", sort)]
    assert len(own) < len(things)
    assert pages[0].css("body").attrib["class"].split()[:2] == ["listing-page", f"{sort}-page"]


def test_old_things_say_what_real_ones_say(get):
    things = {
        thing.attrib["data-fullname"]: thing
        for page in old_pages(get, f"{OLD}/r/pics/")
        for thing in page.css("#siteTable > div.thing")
    }
    for post in PICS:
        thing = things[post.name]
        assert thing.attrib["data-timestamp"] == str(post.created * 1000)
        assert thing.attrib["data-score"] == str(post.score)
        assert thing.attrib["data-url"] == (post.permalink if post.is_self else post.url)
        assert thing.css("p.title > a.title::text").get() == post.title
        assert bool(thing.css("a.author")) == (post.author != "[deleted]")
        classes = thing.attrib["class"].split()
        assert ("over18" in classes, "stickied" in classes) == (post.nsfw, post.stickied)
        assert ("self" in classes) == post.is_self
    outbound = things[post_titled("A page about castles").name].css("a.title::attr(data-outbound-url)").get()
    status, headers, _ = get(outbound)
    assert (status, headers["location"]) == (302, "https://castles.example/page?id=1&lang=en")


def old_pictures(block: Selector) -> list[str]:
    """The pictures of an open block, in order."""
    links = block.css("a.gallery-item-thumbnail-link::attr(href)").getall()
    links = links or block.css("a.post-link::attr(href)").getall() or block.css(".md a::attr(href)").getall()
    return [f"https://i.redd.it/{urlsplit(link).path.rpartition('/')[2].rpartition('-v0-')[2]}" for link in links]


def test_old_blocks_show_the_pictures(get):
    later = set()
    for page in old_pages(get, f"{OLD}/r/pics/?limit=100"):
        for thing in page.css("#siteTable > div.thing"):
            post = subreddits.post_of_id(thing.attrib["data-fullname"])
            if post.kind not in {"gallery", "self"}:
                continue
            cached = thing.css(".expando::attr(data-cachedhtml)").get()
            if not cached:
                later.add(post.kind)
                comments = Selector(get(f"{OLD}{post.permalink}", **SESSION)[2].decode())
                own = comments.css(f".thing[data-fullname={post.name}]")
                assert len(comments.css(".thing.link")) > len(own) == 1
                cached = own.css(".expando").get()
            assert old_pictures(Selector(cached)) == [picture.url for picture in post.pictures]
    assert later == {"gallery"}


def test_an_empty_old_page(get):
    (page,) = old_pages(get, f"{OLD}/r/empty/")
    assert page.css("p#noresults.error") and not page.css(".thing")


# --- www.reddit.com ---


def fed(get: Get, url: str) -> list[Selector]:
    """A page of the present site and the parts that continue it."""
    found = []
    while url:
        status, _, body = get(url)
        assert status == 200
        found.append(Selector(body.decode()))
        sources = found[-1].css("faceplate-partial[slot='load-after'][loading='programmatic']::attr(src)").getall()
        url = urljoin(url, sources[-1]) if sources else ""
    assert found[-1].css("span#end-of-feed-tracker")
    return found


@pytest.mark.parametrize("path", ["", "top/?t=ALL", "new/"])
def test_shreddit_gives_the_whole_listing(get, path):
    pages = fed(get, f"{WWW}/r/pics/{path}")
    posts = [post for page in pages for post in page.css("shreddit-post") if "promoted" not in post.attrib]
    assert once([post.attrib["id"] for post in posts]) == [
        p.name for p in listing("pics", path.partition("/")[0] or "hot")
    ]
    first = len(pages[0].css("shreddit-post:not([promoted])"))
    assert first == 5 if not path else first <= 3
    assert any(page.css("shreddit-ad-post[promoted]") for page in pages)
    assert any(page.css("shreddit-post[promoted]") for page in pages)
    assert "profileIcon_" in pages[0].get() and "communityIcon_" in pages[0].get()
    for post in posts:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+0000", post.attrib["created-timestamp"])


def test_a_feed_can_start_at_a_part(get):
    parts = fed(get, f"{WWW}/svc/shreddit/community-more-posts/top/?name=few&t=YEAR")
    found = [post.attrib["id"] for part in parts for post in part.css("shreddit-post")]
    assert found == [post.name for post in listing("few", "top", "year")]
    empty = get(f"{WWW}/svc/shreddit/community-more-posts/top/?name=empty&t=all")[2]
    assert b'id="empty-feed-content"' in empty
    assert name_of("dDNfMXY4a2d5aQ==") == "t3_1v8kgyi" and cursor("t3_1v8kgyi") == "dDNfMXY4a2d5aQ=="
    assert get(f"{WWW}/svc/shreddit/community-more-posts/top/?name=few&after=%25")[0] == 400


def originals(sources: list[str]) -> list[str]:
    return [f"https://i.redd.it/{urlsplit(source).path.rpartition('-v0-')[2]}" for source in sources]


def carousel(page: Selector) -> list[str]:
    slides = page.css("gallery-carousel li")
    ordered = sorted(slides, key=lambda slide: int(slide.attrib["slot"].removeprefix("page-")))
    shown = [slide.css("img.media-lightbox-img")[0].attrib for slide in ordered]
    return originals([image.get("src") or image["data-lazy-src"] for image in shown])


def test_shreddit_galleries(get):
    later = 0
    for page in fed(get, f"{WWW}/r/pics/"):
        for block in page.css("shreddit-post[post-type=gallery]"):
            post = subreddits.post_of_id(block.attrib["id"])
            has_it = bool(block.css("gallery-carousel"))
            later += not has_it
            shown = block if has_it else Selector(get(WWW + post.permalink)[2].decode())
            assert carousel(shown) == [picture.url for picture in post.pictures]
            sources = shown.css("gallery-carousel li::attr(slot)").getall()
            assert sources[0] == "page-1" and (len(sources) < 3 or sources != sorted(sources))
    assert later == 1


def test_shreddit_types_and_targets(get):
    blocks = {
        block.attrib["id"]: block.attrib for page in fed(get, f"{WWW}/r/pics/") for block in page.css("shreddit-post")
    }
    kinds = {post.kind: set() for post in PICS}
    for post in PICS:
        kinds[post.kind].add(blocks[post.name]["post-type"])
        if post.kind == "image":
            assert blocks[post.name]["content-href"] == post.url
    assert kinds["image"] == {"image", "gif"} and kinds["external"] == {"image", "link"}
    assert kinds["crosspost"] == {"crosspost"} and kinds["self"] == kinds["text"] == {"text"}
    assert kinds["video"] == {"video"} and kinds["gallery"] == {"gallery"} and kinds["poll"] == {"poll"}
    hrefs = {blocks[post.name]["content-href"] for post in PICS if post.kind == "gallery"}
    assert {urlsplit(href).path.split("/")[1] for href in hrefs} == {"gallery", "r"}


def test_shreddit_pages_of_posts(get):
    post = of_kind("self")
    page = Selector(get(WWW + post.permalink)[2].decode())
    assert page.css("shreddit-post::attr(view-context)").getall() == ["CommentsPage"]
    assert originals(page.css("figure a::attr(href)").getall()) == [picture.url for picture in post.pictures]
    parent = of_kind("crosspost").parent
    assert get(WWW + parent.permalink)[0] == 200
    for short in (f"{WWW}/gallery/{post.id}", f"https://redd.it/{post.id}"):
        assert get(short)[1]["location"] == WWW + post.permalink
    assert get(f"{WWW}/r/pics/s/{SHARE}")[1]["location"].startswith(f"{WWW}{PICS[0].permalink}?share_id=")


def test_embedded_posts(get):
    post = of_kind("gallery")
    page = Selector(get(f"https://embed.reddit.com/r/pics/comments/{post.id}/")[2].decode())
    facts = json.loads(page.css("shreddit-screenview-data::attr(data)").get())
    assert facts["post"]["id"] == post.name and facts["post"]["url"] == post.url
    shown = page.css("gallery-carousel li[slot] faceplate-img::attr(src)").getall()
    assert originals(shown) == [picture.url for picture in post.pictures]


# --- feeds ---


def feed(get: Get, path: str) -> Selector:
    status, headers, body = get(f"{WWW}/r/{path}")
    assert status == 200 and headers["content-type"].startswith("application/atom+xml")
    found = Selector(body.decode(), type="xml")
    found.remove_namespaces()
    return found


def target(entry: Selector) -> str:
    content = Selector(entry.css("content::text").get())
    return content.xpath("//a[text()='[link]']/@href").get()


def test_feeds_give_the_whole_listing(get):
    found, after = [], ""
    while True:
        entries = feed(get, f"pics/new/.rss?{urlencode({'after': after} if after else {})}").css("entry")
        if not entries:
            break
        found += entries
        after = entries[-1].css("id::text").get()
    shown = once([entry.css("id::text").get() for entry in found])
    assert shown == [post.name for post in listing("pics", "new")]
    for entry in found:
        post = subreddits.post_of_id(entry.css("id::text").get())
        assert target(entry) == (WWW + post.url if post.url.startswith("/") else post.url)
        assert entry.css("title::text").get() == post.title
        assert entry.css("link::attr(href)").get() == WWW + post.permalink
        for thumbnail in entry.css("thumbnail::attr(url)").getall():
            assert (
                get(thumbnail)[0] in {200, 404}
                and thumbnail in Selector(entry.css("content::text").get()).css("img::attr(src)").getall()
            )
    assert len(feed(get, "pics/.rss?limit=100").css("entry")) == len(PICS)
    assert len(feed(get, "horizon/.rss").css("entry")) == 25


@pytest.mark.parametrize("name", ["pics", "few+earthpics"])
@pytest.mark.parametrize(
    ("asked", "sort", "period"),
    [
        ({}, "hot", "all"),
        ({"sort": "new"}, "new", "all"),
        ({"sort": "top"}, "top", "all"),
        ({"sort": "top", "t": "month"}, "top", "month"),
    ],
)
def test_feeds_of_a_search(get, name, asked, sort, period):
    found, after = [], ""
    while True:
        query = {"q": "s", "restrict_sr": 1, "limit": 2, **asked, **({"after": after} if after else {})}
        shown = feed(get, f"{name}/search.rss?{urlencode(query)}").css("entry > id::text").getall()
        if not shown:
            break
        found.append(shown)
        after = shown[-1]
    assert once([post for page in found for post in page]) == [
        post.name for post in listing(name, sort, period, query="s")
    ]
    assert {len(page) for page in found} <= {1, 2, 3} and len(found) > 1


def test_a_search_may_find_nothing(get):
    assert not feed(get, "pics/search.rss?q=nothing+of+this+kind").css("entry")


def test_feeds_are_slow(get):
    agent = f"{AGENT} slow"
    first, second = (get(f"{WWW}/r/slowfeed/.rss", User_Agent=agent) for _ in range(2))
    assert (first[0], first[1]["x-ratelimit-remaining"]) == (200, "0.0")
    assert (second[0], second[1]["retry-after"]) == (429, "1")
    time.sleep(1)
    assert get(f"{WWW}/r/slowfeed/.rss", User_Agent=agent)[0] == 200


# --- media ---


def every_picture() -> list[Picture]:
    return list(dict.fromkeys(item.picture for name in ("pics", "few", "galleries") for item in wanted(name)))


def test_every_picture_is_at_its_address(get):
    for picture in every_picture():
        status, headers, body = get(picture.url)
        if picture.trap == "removed":
            assert (status, headers.get("location")) in {(404, None), (302, REMOVED)}
            continue
        assert (status, body) == (200, picture.body), picture.url
        assert headers["content-type"].startswith("image/")
        if not picture.trap:
            assert is_picture(body)
            assert get(picture.url, **{"If-None-Match": headers["etag"]})[::2] == (304, b"")


def test_pictures_in_disguise_are_called_jpegs(get):
    replies = {
        item.picture.trap: get(item.picture.url) for item in wanted("pics") if item.picture.trap not in {"", "removed"}
    }
    assert {reply[1]["content-type"] for reply in replies.values()} == {"image/jpeg"}
    assert replies["empty"][2] == b"" and replies["html"][2].startswith(b"<!DOCTYPE html>")
    assert replies["cut"][2].startswith(b"\xff\xd8") and not replies["cut"][2].endswith(b"\xff\xd9")


def test_hosts_of_pictures_give_pages_to_browsers(get):
    picture = of_kind("image").media[0]
    for url in (picture.url, picture.preview_url):
        status, headers, body = get(url, Accept=BROWSER)
        assert status == 200 and headers["content-type"].startswith("text/html") and b"<img" in body
        for accept in ("*/*", "image/avif,image/webp,image/*,*/*;q=0.8"):
            assert get(url, Accept=accept)[1]["content-type"].startswith("image/")


def test_copies_want_their_signature(get):
    picture = of_kind("image").media[0]
    url = picture.scaled_url("some-words", width=216, crop="smart", auto="webp")
    assert f"/some-words-v0-{picture.name}?width=216" in url
    assert get(url)[0] == 200
    for wrong in (url.replace("216", "217"), url.partition("&s=")[0], url.partition("?")[0], url[:-1]):
        assert get(wrong)[0] == 403


def test_copies_are_webp_whatever_they_are_called(get):
    lost = post_titled("Lost, but Reddit has a copy").media[0]
    assert get(lost.url)[0] == 404
    for accept, mime, format_ in (("image/webp,*/*", "image/webp", "WEBP"), ("image/jpeg", "image/jpeg", "JPEG")):
        status, headers, body = get(lost.preview_url, Accept=accept)
        assert (status, headers["content-type"]) == (200, mime) and ".jpg?" in lost.preview_url
        with Image.open(BytesIO(body)) as picture:
            assert (picture.format, picture.size) == (format_, lost.size)
    assert get(post_titled("Lost, and the copy too").media[0].preview_url)[0] == 404
    assert post_titled("Lost, and no copy").media[0].preview_url == ""


def test_copies_of_pictures_elsewhere(get):
    fallen = post_titled("A castle that fell").media[0]
    assert get(fallen.url)[0] == 404
    assert preview_hash(fallen.url) in fallen.preview_url
    assert fallen.preview_url.startswith("https://external-preview.redd.it/") and is_picture(get(fallen.preview_url)[2])
    still = of_kind("video").still
    assert is_picture(get(still.preview_url)[2])


def test_animations_and_their_stills(get):
    picture = post_titled("A wheel that turns").media[0]
    with Image.open(BytesIO(get(picture.url)[2])) as moving, Image.open(BytesIO(get(picture.preview_url)[2])) as still:
        assert moving.n_frames == 4 and still.format == "PNG"
    with Image.open(BytesIO(get(picture.scaled_url())[2])) as moving:
        assert moving.n_frames == 4
    assert get(picture.scaled_url(format="mp4"))[1]["content-type"] == "video/mp4"


def test_videos(get):
    post = of_kind("video")
    assert get(post.url)[1]["location"] == WWW + post.permalink
    assert get(f"{post.url}/CMAF_720.mp4?source=fallback")[2][4:8] == b"ftyp"
    assert b"<MPD>" in get(f"{post.url}/DASHPlaylist.mpd?a=1")[2]


def test_imgur(get):
    picture = of_kind("imgur").media[0]
    assert get(f"https://i.imgur.com/{picture.id}.png?1")[::2] == (200, picture.body)
    assert is_picture(get(f"https://i.imgur.com/{picture.id}b.jpg")[2])
    assert is_picture(get(f"https://i.imgur.com/{picture.id}_d.webp?maxwidth=200")[2])
    assert get(REMOVED)[1]["content-type"] == "image/png" and is_picture(get(REMOVED)[2])
    moving = of_kind("gifv")
    assert moving.url.endswith(".gifv") and get(moving.url)[1]["content-type"].startswith("text/html")
    assert get(moving.url.replace(".gifv", ".mp4"))[1]["content-type"] == "video/mp4"
    assert get(moving.pictures[0].url)[2][:3] == b"GIF"
    page = of_kind("imgur-page")
    assert get(page.url)[1]["content-type"].startswith("text/html")
    assert page.pictures[0].url.endswith(".jpg") and get(page.pictures[0].url)[2][:4] == b"\x89PNG"
    old = post_titled("A boat behind an old address")
    assert old.url.startswith("http://imgur.com/")
    assert get(old.url.replace("http:", "https:"))[1]["location"] == old.pictures[0].url


def shared_picture(body: bytes) -> str:
    return Selector(body.decode()).css("meta[property='og:image']::attr(content)").get().removesuffix("?fb")


def test_the_page_of_an_album_lists_its_pictures(get):
    album = post_titled("All my boats")
    status, headers, body = get(album.url)
    assert status == 200 and headers["content-type"].startswith("text/html")
    script = Selector(body.decode()).css("script::text").get()
    assert script.startswith("window.postDataJSON=") and "</" not in script and r"<\/b>" in script
    data = json.loads(json.loads(script.removeprefix("window.postDataJSON=")))
    assert data["id"] == album.url.rpartition("/")[2] and data["image_count"] == len(data["media"]) == 3
    assert [item["url"] for item in data["media"]] == [picture.url for picture in album.pictures]
    assert {(item["mime_type"], item["ext"]) for item in data["media"]} == {("image/jpeg", "jpg"), ("image/png", "png")}
    for item, picture in zip(data["media"], album.pictures, strict=True):
        assert (item["id"], (item["width"], item["height"])) == (picture.id, picture.size)
        assert is_picture(get(item["url"])[2])
    assert shared_picture(body) == album.pictures[0].url
    assert get(f"https://imgur.com/a/with-words-{data['id']}")[2] == body and not album.is_partly_known
    assert get("https://imgur.com/a/AbCdExQ")[0] == 404


def test_the_page_of_an_album_may_list_nothing(get):
    album = post_titled("All my other boats")
    body = get(album.url)[2]
    assert b"postDataJSON" not in body
    assert [shared_picture(body)] == [picture.url for picture in album.pictures]
    assert album.is_partly_known and len(album.media) == 3
    assert [post for post in PICS if post.is_partly_known] == [album]


# --- the capture ---


@pytest.mark.skipif(not reddit_captured.children(), reason="the captured listing is not here")
def test_the_captured_listing(api, get):
    pages = pages_of(api, "/r/captured/hot", limit=30)
    assert [len(page["children"]) for page in pages] == [30, 30, 30, 10]
    posts = [child["data"] for page in pages for child in page["children"]]
    gallery = next(post for post in posts if post.get("is_gallery"))
    source = next(iter(gallery["media_metadata"].values()))["s"]["u"]
    assert is_picture(get(source)[2])
    assert is_picture(get(f"https://i.redd.it/{urlsplit(source).path[1:]}")[2])
    assert get(source[:-1])[0] == 403
    image = next(post["url"] for post in posts if post["domain"] == "i.redd.it")
    assert is_picture(get(image)[2])
