"""Reddit's API: tokens on www.reddit.com, everything else on oauth.reddit.com."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import replace

from tests.replica import reddit_captured, subreddits
from tests.replica import reddit_json as shapes
from tests.replica.exchange import Answer, Request, redirect, robots_txt
from tests.replica.reddit_json import answer, error
from tests.replica.reddit_posts import WWW
from tests.replica.reddit_state import CLIENTS, PASSWORD, REFRESH_TOKEN, USER, Client, State, Token
from tests.replica.reddit_walls import WALLS, agent_wall, has_session, to_search, too_many

NO_ROBOTS = "User-agent: *\nDisallow: /\n"
SHARE = "Repl1caXYZ"
"""The end of ``/r/X/s/...`` that leads to the first post of X."""

SMALL_WINDOW = (4, 1.0)
"""How many requests r/ratelimited answers, and in how many seconds."""

_INSTALLED = "https://oauth.reddit.com/grants/installed_client"
_WINDOW = (1000, 600.0)


def token(request: Request, state: State) -> Answer:
    """A token. Wrong credentials are 401, most other faults an error at status 200."""
    if wall := agent_wall(request):
        return wall if wall.status == 403 else error(429, "Too Many Requests")
    client = _client(request.headers.get("authorization", ""))
    if not client:
        return error(401, "Unauthorized")
    if client.error == "429":
        return error(429, "Too Many Requests")
    form = request.form
    fault = client.error or _fault(client, form)
    if fault == "no grant":
        return answer({"error": 400}, 400)
    if fault:
        described = {"error_description": "bad device_id"} if fault == "invalid_request" else {}
        return answer({"error": fault, **described})
    found = state.issue(client.lifetime)
    body = {"access_token": found.value, "token_type": "bearer", "expires_in": found.lifetime, "scope": "*"}
    if form["grant_type"] == _INSTALLED:
        body["device_id"] = form["device_id"]
    return answer(body, 200, *state.take(("token", found.value), 300, 600).headers)


def api(request: Request, state: State) -> Answer:
    """oauth.reddit.com."""
    if request.route == "/robots.txt":
        return robots_txt(NO_ROBOTS)
    if wall := agent_wall(request):
        return wall
    found = state.token(request.headers.get("authorization", ""))
    if not found:
        mark = 'Bearer realm="reddit", error="invalid_token"'
        return error(401, "Unauthorized", ("www-authenticate", mark))
    reply = _routed(request, state, found)
    if any(name.startswith("x-ratelimit") for name, _ in reply.headers):
        return reply
    return replace(reply, headers=(*reply.headers, *state.take((found.value,), *_WINDOW).headers))


def site_json(request: Request, state: State) -> Answer:
    """JSON on the hosts for people, which is for those who are logged in."""
    assert has_session(request)
    return _routed(request, state, Token(f"session on {request.host}", 0, 0))


def _client(authorization: str) -> Client | None:
    scheme, _, value = authorization.partition(" ")
    try:
        client_id, _, secret = b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    client = CLIENTS.get(client_id)
    known = scheme.lower() == "basic" and client and client.secret == secret
    return client if known else None


def _fault(client: Client, form: dict[str, str]) -> str:
    match form.get("grant_type"):
        case None:
            return "no grant"
        case "client_credentials":
            return "" if client.secret else "unauthorized_client"
        case "password":
            right = (form.get("username"), form.get("password")) == (USER, PASSWORD)
            return "" if right and client.secret else "invalid_grant"
        case "refresh_token":
            return "" if form.get("refresh_token") == REFRESH_TOKEN else "invalid_grant"
        case grant if grant == _INSTALLED:
            device = form.get("device_id", "")
            return "" if device.isascii() and 20 <= len(device) <= 30 else "invalid_request"
        case _:
            return "unsupported_grant_type"


def _routed(request: Request, state: State, token: Token) -> Answer:
    raw = request.params.get("raw_json") == "1"
    match request.route.removesuffix(".json").strip("/").split("/"):
        case ["r", name, "comments", post_id, *_] | ["r", name, "comments", post_id] if post := subreddits.post_of_id(
            post_id
        ):
            return _wall(request, state, token, name) or answer(shapes.comments(post), raw=raw)
        case ["comments", post_id, *_] if post := subreddits.post_of_id(post_id):
            return answer(shapes.comments(post), raw=raw)
        case ["r", name, "s", share] if share == SHARE and subreddits.listing(name):
            share_of = subreddits.listing(name)[0]
            return redirect(f"{WWW}{share_of.permalink}?share_id=replica&utm_medium=web&utm_source=share", 301)
        case ["r", name, "about"] if found := subreddits.find(name):
            return _wall(request, state, token, name) or answer(shapes.subreddits(found)["data"]["children"][0])
        case ["api", "info"]:
            asked = map(subreddits.post_of_id, request.params.get("id", "").split(","))
            return answer(shapes.listing(subreddits.Page(tuple(post for post in asked if post), "")), raw=raw)
        case ["subreddits", "search"]:
            return answer(shapes.subreddits([subreddits.SUBREDDITS["pics"], subreddits.SUBREDDITS["earthpics"]]))
        case ["r", name, *rest] if len(rest) < 2 and (not rest or rest[0] in {*subreddits.SORTS, "search", ""}):
            return _wall(request, state, token, name) or _listing(request, state, token, name, "".join(rest) or "hot")
        case _:
            return error(404, "Not Found")


def _wall(request: Request, state: State, token: Token, name: str) -> Answer | None:
    """What stands before a subreddit."""
    if not subreddits.find(name):
        return to_search(request, name)
    match name.lower():
        case "quarantined" | "gated" as reason:
            word = "quarantine_message" if reason == "quarantined" else "interstitial_warning_message"
            warning = {word: "Think twice.", f"{word}_html": "<p>Think twice.</p>"}
            return error(403, "Forbidden", reason=reason, **warning)
        case "networkblocked" | "policyblocked" | "pardner_always" as wall:
            return WALLS[wall]()
        case "pardner" if state.refuse(token.value, request.path):
            return too_many(1)
        case other:
            return _FAULTS.get(other)


_FAULTS = {
    "private": error(403, "Forbidden", reason="private"),
    "banned": error(404, "Not Found", reason="banned"),
    "notfound": error(404, "Not Found"),
    "brokenserver": Answer(500),
    "error200": answer({"message": "Something is wrong", "error": 500}),
}


def _listing(request: Request, state: State, token: Token, name: str, kind: str) -> Answer:
    params = request.params
    raw, after, limit = params.get("raw_json") == "1", params.get("after", ""), asked_limit(request)
    if name.lower() == "captured" and kind == "hot":
        return answer(reddit_captured.listing(after, limit), raw=raw)
    query = params.get("q", "") if kind == "search" else ""
    sort = asked_sort(request) if kind == "search" else kind
    time = params.get("t", "all" if kind == "search" else "day").lower()
    headers: tuple[tuple[str, str], ...] = ()
    if name.lower() == "ratelimited":
        allowance = state.take((token.value, "ratelimited"), *SMALL_WINDOW)
        headers = allowance.headers
        if not allowance.allowed:
            refused = too_many(allowance.reset)
            return replace(refused, headers=(*refused.headers, *headers))
    if name.lower() == "expiring":
        state.wear(token, 2)
    found = answer(shapes.listing(subreddits.page(name, sort, time, after, limit, query=query)), 200, *headers, raw=raw)
    if name.lower() == "truncated" and state.refuse(token.value, request.path):
        assert isinstance(found.body, bytes)
        return replace(found, body=found.body[: len(found.body) // 2])
    return found


def asked_sort(request: Request) -> str:
    """The order that a search is asked for: hot unless it says."""
    sort = request.params.get("sort", "hot")
    return sort if sort in subreddits.SORTS else "hot"


def asked_limit(request: Request) -> int:
    """How many posts a request wants: 25 unless it says, and 100 at most."""
    limit = request.params.get("limit", "")
    return min(int(limit), 100) if limit.isdigit() and int(limit) else 25
