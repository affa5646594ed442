"""The hosts of Reddit and imgur. What they remember of their clients, they remember together."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

from tests.replica import reddit_imgur, reddit_media, reddit_old, reddit_rss, reddit_shreddit, reddit_walls, subreddits
from tests.replica.exchange import Answer, Request, Site, not_found, page, redirect, robots_txt
from tests.replica.reddit_api import NO_ROBOTS, SHARE, api, asked_limit, asked_sort, site_json, token
from tests.replica.reddit_json import error
from tests.replica.reddit_posts import WWW
from tests.replica.reddit_state import State

_FEED_WINDOW = (1, 1.0)
_FEED_LENGTH = 25


def sites() -> dict[str, Site]:
    """The hosts, with a new memory."""
    state = State()
    return {
        "oauth.reddit.com": partial(api, state=state),
        "www.reddit.com": partial(www, state=state),
        "old.reddit.com": partial(old, state=state),
        "api.reddit.com": lambda _: reddit_walls.closed(),
        "embed.reddit.com": embed,
        "out.reddit.com": out,
        "redd.it": short,
        "i.redd.it": reddit_media.originals,
        "preview.redd.it": reddit_media.copies,
        "external-preview.redd.it": reddit_media.copies,
        "v.redd.it": reddit_media.videos,
        "i.imgur.com": reddit_imgur.files,
        "imgur.com": reddit_imgur.pages,
    }


def www(request: Request, state: State) -> Answer:
    """www.reddit.com."""
    if request.route == "/api/v1/access_token" and request.method == "POST":
        return token(request, state)
    if common := _common(request, state):
        return common
    match request.route.strip("/").split("/"):
        case ["svc", "shreddit", "community-more-posts", sort] if sort in subreddits.SORTS:
            return _part(request, state, sort)
        case ["r", name, "comments", post_id, *_]:
            post = subreddits.post_of_id(post_id)
            if not post:
                return reddit_walls.page_not_found()
            return _wall(request, state, name) or page(reddit_shreddit.comments(post))
        case ["comments" | "gallery", post_id] if post := subreddits.post_of_id(post_id):
            return redirect(WWW + post.permalink, 301)
        case ["r", name, "s", share] if share == SHARE and subreddits.listing(name):
            shared = subreddits.listing(name)[0]
            return redirect(f"{WWW}{shared.permalink}?share_id=replica&utm_medium=web", 301)
        case ["r", name, *rest] if len(rest) < 2 and {*rest} <= {*subreddits.SORTS}:
            sort, time = "".join(rest) or "hot", request.params.get("t", "day").lower()
            shown = subreddits.page(name, sort, time, limit=reddit_shreddit.FIRST)
            return _wall(request, state, name) or page(reddit_shreddit.listing(name, sort, time, shown))
        case ["media"] if "url" in request.params:
            return reddit_media.viewer(request)
        case _:
            return reddit_walls.page_not_found()


def old(request: Request, state: State) -> Answer:
    """old.reddit.com, which is for those who are logged in."""
    if common := _common(request, state):
        return common
    if not reddit_walls.has_session(request):
        return reddit_walls.to_login(request)
    match request.route.strip("/").split("/"):
        case ["r", name, "comments", post_id, *_]:
            post = subreddits.post_of_id(post_id)
            if not post:
                return reddit_walls.page_not_found()
            return _wall(request, state, name) or page(reddit_old.comments(post))
        case ["r", name, *rest] if len(rest) < 2 and {*rest} <= {*subreddits.SORTS}:
            sort, params = "".join(rest) or "hot", request.params
            time, after = params.get("t", "day"), params.get("after", "")
            shown = subreddits.page(name, sort, time, after, asked_limit(request))
            return _wall(request, state, name) or page(reddit_old.listing(name, sort, shown, params))
        case _:
            return reddit_walls.page_not_found()


def embed(request: Request) -> Answer:
    """embed.reddit.com: one post, for anybody."""
    match request.route.strip("/").split("/"):
        case ["r", _, "comments", post_id, *_] if post := subreddits.post_of_id(post_id):
            return reddit_walls.agent_wall(request) or page(reddit_shreddit.embedded(post))
        case _:
            return not_found()


def out(request: Request) -> Answer:
    """out.reddit.com: on to another site."""
    return redirect(request.params["url"]) if "url" in request.params else not_found()


def short(request: Request) -> Answer:
    """redd.it: a post by its id."""
    post = subreddits.post_of_id(request.route.strip("/"))
    return redirect(WWW + post.permalink, 301) if post else not_found()


def _common(request: Request, state: State) -> Answer | None:
    """What www and old answer alike."""
    route = request.route
    if route == "/robots.txt":
        return robots_txt(NO_ROBOTS)
    if wall := reddit_walls.agent_wall(request):
        return wall
    if route.endswith(".rss"):
        return _feed(request, state) if request.host == "www.reddit.com" else reddit_walls.to_login(request)
    if route.endswith(".json"):
        return site_json(request, state) if reddit_walls.has_session(request) else reddit_walls.closed()
    match route.strip("/"):
        case "login":
            return reddit_walls.login()
        case "over18" if request.method == "POST" and request.form.get("over18") == "yes":
            cookie = ("Set-Cookie", "over18=1; Domain=.reddit.com; Path=/")
            return redirect(request.params.get("dest", "/"), 302, cookie)
        case "over18":
            return reddit_walls.over18()
        case "quarantine":
            return reddit_walls.quarantine()
        case "subreddits/search":
            return reddit_walls.subreddit_list(["pics", "earthpics"])
        case _:
            return None


def _wall(request: Request, state: State, name: str) -> Answer | None:
    """What stands before a subreddit on the pages for people."""
    if not subreddits.find(name):
        return reddit_walls.to_search(request, name)
    name, is_old = name.lower(), request.host == "old.reddit.com"
    gate, is_open = _GATES.get(name, ("", _never))
    if gate and not is_open(request):
        return reddit_walls.aside(request, gate)
    match name:
        case "loginwall" if is_old:
            return reddit_walls.to_login(request)
        case "jscheck" if not is_old:
            return reddit_walls.script_check(request)
        case "brokenserver":
            return reddit_walls.broke() if is_old else Answer(500)
        case "pardner" if state.refuse(request.headers.get("user-agent", ""), request.url):
            return reddit_walls.too_many(1)
        case _:
            return reddit_walls.WALLS[name]() if name in reddit_walls.WALLS else None


def _never(_: Request) -> bool:
    return False


def _has_option(request: Request, name: str) -> bool:
    return name in unquote(request.cookies.get("_options", ""))


_GATES: dict[str, tuple[str, Callable[[Request], bool]]] = {
    "over18": ("over18", lambda request: request.cookies.get("over18") == "1"),
    "quarantined": ("quarantine", partial(_has_option, name="pref_quarantine_optin")),
    "gated": ("quarantine", partial(_has_option, name="pref_gated_sr_optin")),
}
"""By subreddit: where its visitors are sent, and whether their cookies say that they have been there."""


def _part(request: Request, state: State, sort: str) -> Answer:
    params = request.params
    name, time = params.get("name", ""), params.get("t", "day")
    try:
        after = reddit_shreddit.name_of(params.get("after", ""))
        length = int(params.get("feedLength", "0"))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return error(400, "Bad Request")
    shown = subreddits.page(name, sort, time.lower(), after, _FEED_LENGTH)
    part = reddit_shreddit.part(name, sort, time, shown, length)
    return _wall(request, state, name) or page(part, content_type="text/vnd.reddit.partial+html; charset=utf-8")


def _feed(request: Request, state: State) -> Answer:
    params, query, period = request.params, "", "day"
    match request.route.removesuffix(".rss").strip("/").split("/"):
        case ["r", name, *rest] if len(rest) < 2 and {*rest} <= {*subreddits.SORTS}:
            sort = "".join(rest) or "hot"
        case ["r", name, "search"]:
            sort, query, period = asked_sort(request), params.get("q", ""), "all"
        case _:
            return reddit_walls.page_not_found()
    if wall := _wall(request, state, name) if name.lower() not in {"over18", "jscheck"} else None:
        return wall
    key = ("feed", request.headers.get("user-agent", ""))
    is_slow = name.lower() == "slowfeed"
    allowance = state.take((*key, "slow"), *_FEED_WINDOW) if is_slow else state.take(key, 1000, 60)
    if not allowance.allowed:
        found = reddit_walls.too_many(allowance.reset)
        return Answer(found.status, (*found.headers, *allowance.headers), found.body)
    time, after = params.get("t", period), params.get("after", "")
    shown = subreddits.page(name, sort, time, after, asked_limit(request), query=query)
    found = page(reddit_rss.feed(name, request.route, shown), content_type=reddit_rss.MEDIA_TYPE)
    return Answer(200, (*found.headers, *allowance.headers), found.body)
