"""The pages of Reddit that stand where something else was asked for. Of the real texts only the marks are here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from urllib.parse import quote, urlencode

from tests.replica.exchange import Answer, Request, page, redirect

SESSION_COOKIE = ("reddit_session", "replica")

_LIBRARIES = (
    "python-requests/", "python-urllib/", "python-httpx/", "scrapy/", "aiohttp/", "curl/", "wget/", "go-http-client/",
    "okhttp/", "java/", "libwww-perl/",
)  # fmt: skip
_HEAD = '<!doctype html><html lang="en"><head><title>{title}</title></head><body>{body}</body></html>'


def _html(title: str, body: str, status: int = 200) -> Answer:
    return page(_HEAD.format(title=escape(title), body=body), status)


def agent_wall(request: Request) -> Answer | None:
    """What a client without a name of its own gets."""
    agent = request.headers.get("user-agent", "").strip().lower()
    if not agent:
        return administrative()
    return too_many() if agent.startswith(_LIBRARIES) else None


def has_session(request: Request) -> bool:
    """Whether the cookies are those of somebody logged in."""
    return request.cookies.get(SESSION_COOKIE[0]) == SESSION_COOKIE[1]


def too_many(seconds: int = 0) -> Answer:
    """429, with the time to wait or without."""
    wait = f"please wait {seconds} second(s) and try again." if seconds else "it has seen too much of you."
    body = f"<h1>whoa there, pardner!</h1><p>the replica thinks you are a bot in a hurry.</p><p>{wait}</p>"
    found = _html("Too Many Requests", body, 429)
    return replace(found, headers=(*found.headers, ("retry-after", str(seconds)))) if seconds else found


def blocked() -> Answer:
    """403 by policy."""
    body = (
        "<h1>whoa there, pardner!</h1><p>Your request has been blocked due to a network policy.</p>"
        '<p>Try logging in <a href="/login/">here</a>; make sure your User-Agent is not empty.</p>'
    )
    return _html("Blocked", body, 403)


def network_security() -> Answer:
    """403 by network security: a large page with little in it."""
    style = f"<style>{'.replica{margin:0}' * 400}</style>"
    body = (
        f"{style}<div><p>You've been blocked by network security.</p>"
        '<p>Log in or use your developer token. <a href="/ticket">file a ticket</a></p></div>'
    )
    return _html("Reddit", body, 403)


def administrative() -> Answer:
    """403 for a client without a name."""
    return page("<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n", 403)


def closed() -> Answer:
    """403 for JSON without a token: the shell of the site, which is large."""
    filler = "<!--replica-->" * 13_500
    return _html("Reddit - The heart of the replica", f"<shreddit-app></shreddit-app>{filler}", 403)


def script_check(request: Request) -> Answer:
    """The page that wants a browser to prove itself. Nothing gets past it here."""
    fields = {"solution": "", "js_challenge": "1", "token": "replica", "jsc_orig_r": ""}
    inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
    body = f'<form method="GET" action="{escape(request.route)}" hidden>{inputs}</form><script>{"/**/" * 1800}</script>'
    return _html("Reddit - Please wait for verification", body)


def to_login(request: Request) -> Answer:
    """Where old.reddit.com sends who is not logged in."""
    return redirect(f"https://{request.host}/login/?{urlencode({'reason': 'lor2', 'dest': request.url})}")


def login() -> Answer:
    """The page it ends at."""
    return _html("Welcome to Reddit", '<form id="login-form" method="post"><input name="user"></form>')


def interstitial(title: str, heading: str, status: int = 200, more: str = "") -> Answer:
    """A page that stands before a subreddit."""
    body = (
        '<div class="interstitial"><img class="interstitial-image" src="//www.redditstatic.com/interstitial.png">'
        f'<div class="interstitial-message md-container"><div class="md"><h3>{escape(heading)}</h3></div></div>'
        f'<div class="buttons">{more}</div></div>'
    )
    return _html(f"reddit.com: {title}", body, status)


def aside(request: Request, place: str) -> Answer:
    """A redirect to ``/over18`` or ``/quarantine``, which keep where one wanted to go."""
    return redirect(f"https://{request.host}/{place}?dest={quote(request.url, safe='')}")


def over18() -> Answer:
    """The question for one's age."""
    buttons = "".join(f'<button type="submit" name="over18" value="{word}">{word}</button>' for word in ("no", "yes"))
    form = f'<form method="post">{buttons}</form>'
    return interstitial("over 18?", "You must be 18+ to view this community", 200, form)


def quarantine() -> Answer:
    """The warning before a quarantined subreddit."""
    return interstitial("quarantined", "Are you sure you want to view this community?", 403)


def page_not_found() -> Answer:
    """404."""
    return _html("reddit.com: page not found", '<div id="classy-error"><h1>page not found</h1></div>', 404)


def broke() -> Answer:
    """500 with words; the API sends none."""
    return _html("reddit broke!", "<h1>you broke the replica</h1>", 500)


def to_search(request: Request, name: str) -> Answer:
    """Where a subreddit that does not exist leads: to a search for subreddits."""
    ending = ".json" if request.route.endswith(".json") else ""
    return redirect(f"https://{request.host}/subreddits/search{ending}?q={quote(name)}")


def subreddit_list(names: list[str]) -> Answer:
    """The search for subreddits: blocks that look like posts and are none."""
    things = "".join(
        f'<div class=" thing id-t5_{name} even subreddit " data-fullname="t5_{name}" data-type="subreddit">'
        f'<p class="titlerow"><a href="https://old.reddit.com/r/{name}/" class="title">r/{name}</a></p></div>'
        for name in names
    )
    return _html("search results", f'<div id="siteTable" class="sitetable">{things}</div>')


WALLS: dict[str, Callable[[], Answer]] = {
    "private": lambda: interstitial("private", "You must be invited to visit this community", 403),
    "banned": lambda: interstitial("banned", "This community has been banned", 404),
    "notfound": page_not_found,
    "networkblocked": network_security,
    "policyblocked": blocked,
    "pardner_always": lambda: too_many(1),
}
"""The subreddits that nothing opens, and what stands before them."""
