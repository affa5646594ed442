"""The subreddits of the replica: their posts in the order of every listing, and what should become of each picture.

Tests compare a crawl with :func:`wanted`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from tests.replica.reddit_pics import (
    ADULT,
    FEW,
    GALLERIES,
    PARENTS,
    PICS,
    placed,
    stairs,
)
from tests.replica.reddit_posts import KINDS, NOW, TRAPS, Picture, Post

__all__ = [
    "KINDS", "NOW", "SCENARIOS", "SORTS", "SUBREDDITS", "TRAPS", "Page", "Picture", "Post", "Subreddit", "Wanted",
    "find", "listing", "page", "pictures", "post_of_id", "wanted",
]  # fmt: skip

SORTS = ("hot", "new", "top", "rising", "controversial")
HORIZON = 1000
"""How many posts a listing shows at most."""

_PERIODS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400, "year": 365 * 86_400}

SCENARIOS = {
    "pics": "every kind of post and of trouble, over several pages",
    "few": "five posts",
    "galleries": "galleries of two to five pictures and nothing else",
    "earthpics": "the parents of the crossposts",
    "empty": "no posts",
    "horizon": "1040 posts, of which a listing shows 1000; every fiftieth has a picture",
    "over18": "nothing but adult posts, behind the question for one's age in HTML",
    "ratelimited": "pages of two posts, four requests a second; who goes on gets 429",
    "slowfeed": "a feed with pages of two posts, one request a second; who goes on gets 429",
    "expiring": "pages of two posts; a token is refused after two requests for them",
    "truncated": "JSON that ends halfway the first time, and is whole the second",
    "pardner": "429 and a second to wait every first time, then what was asked for",
    "pardner_always": "429, for ever",
    "private": "for its members",
    "banned": "closed by Reddit",
    "quarantined": "behind a warning that can be accepted by a cookie",
    "gated": "behind a notice that can be accepted by a cookie",
    "notfound": "404 in every way; a name that is not here is a redirect to a search for subreddits",
    "loginwall": "old.reddit.com wants a login, whatever the cookies",
    "jscheck": "www.reddit.com asks for JavaScript",
    "networkblocked": "403 by network security",
    "policyblocked": "403 by a network policy",
    "brokenserver": "500 and no body",
    "error200": "an error in JSON at status 200",
    "captured": "the captured listing of ../shared, if it is there",
}
"""The subreddits that exist, with what is special about them."""


@dataclass(frozen=True)
class Subreddit:
    """A subreddit. ``most`` is how many posts a page has at most; one that ``repeats`` shows posts again later."""

    name: str
    posts: tuple[Post, ...]
    most: int = 100
    repeats: bool = False

    @property
    def is_adult(self) -> bool:
        """Whether it is for adults only."""
        return self.name == "over18"


@dataclass(frozen=True)
class Page:
    """One page of a listing. ``after`` is empty on the last."""

    posts: tuple[Post, ...]
    after: str


@dataclass(frozen=True)
class Wanted:
    """A picture in the order of a listing, and what a crawl should make of it. ``position`` counts from 1."""

    post: Post
    picture: Picture
    position: int
    outcome: str
    reason: str | None


def listing(name: str, sort: str = "hot", time: str = "all", query: str = "") -> list[Post]:
    """The posts a listing shows, each once, in order; ``name`` may be several with ``+``.

    With ``query`` it is a search: the posts whose titles have all of its words.
    """
    posts = _listed(name.lower(), sort, time)[:HORIZON]
    return [post for post in posts if _is_listed(post, query) and not post.gone]


def wanted(
    name: str, sort: str = "hot", time: str = "all", query: str = "", *, nsfw: str = "include", previews: bool = False
) -> list[Wanted]:
    """Every picture of a listing, with what should become of it; with ``previews`` Reddit's copies may take its place.

    The second time an address comes, its outcome is ``duplicate``. ``nsfw`` is ``include``, ``skip`` or ``only``.
    """
    found, seen = [], set()
    for post in listing(name, sort, time, query):
        if nsfw != "include" and post.nsfw != (nsfw == "only"):
            continue
        for position, picture in enumerate(post.pictures, start=1):
            outcome = picture.outcome_with_previews if previews else picture.outcome
            if picture.url in seen:
                outcome = "duplicate"
            seen.add(picture.url)
            found.append(Wanted(post, picture, position, outcome, picture.reason))
    return found


def page(name: str, sort: str = "hot", time: str = "day", after: str = "", limit: int = 25, *, query: str = "") -> Page:
    """One page, as Reddit cuts it: posts that are gone count, those on top do not, and ``after`` may be one gone."""
    posts = _listed(name.lower(), sort, time)[:HORIZON]
    top = [post for post in posts if post.stickied and sort == "hot" and not query]
    rest = [post for post in posts if post not in top and _is_listed(post, query)]
    places = {post.name: place for place, post in enumerate(rest, start=1)}
    if after and after not in places:
        return Page((), "")
    start = places.get(after, 0)
    end = start + max(1, min(limit, _most(name)))
    shown = [post for post in rest[start:end] if not post.gone]
    if start and shown and sort in {"hot", "new"} and _repeats(name):
        shown.insert(len(shown) // 2, rest[start - 1])
    return Page(
        tuple(post for post in ([] if start else top) + shown if not post.gone),
        rest[end - 1].name if end < len(rest) else "",
    )


def find(name: str) -> list[Subreddit]:
    """The subreddits of a name, which may be several with ``+``; empty if one of them does not exist."""
    found = [SUBREDDITS.get(part) for part in name.lower().split("+")]
    return [subreddit for subreddit in found if subreddit] if all(found) else []


def post_of_id(wanted_id: str) -> Post | None:
    """The post with an id, with or without ``t3_``."""
    return _POSTS.get(wanted_id.removeprefix("t3_"))


def pictures() -> Iterator[Picture]:
    """Every picture there is, those no crawl should get included."""
    for post in _POSTS.values():
        yield from post.media
        if post.still:
            yield post.still


def advertisements(name: str) -> list[Post]:
    """The posts that HTML pages show between the others."""
    return [post for subreddit in find(name) for post in subreddit.posts if post.promoted]


@lru_cache(maxsize=256)
def _listed(name: str, sort: str, time: str) -> tuple[Post, ...]:
    """The posts of several subreddits take turns."""
    turns = zip_longest(*(subreddit.posts for subreddit in find(name)))
    posts = [post for turn in turns for post in turn if post]
    match sort:
        case "hot":
            posts.sort(key=lambda post: not post.stickied)
        case "new":
            posts.sort(key=lambda post: -post.created)
        case "rising":
            posts = posts[::3]
        case "top":
            posts.sort(key=lambda post: -post.score)
        case "controversial":
            posts.sort(key=lambda post: abs(post.ratio - 0.5))
    if sort in {"top", "controversial"} and time in _PERIODS:
        posts = [post for post in posts if NOW - post.created <= _PERIODS[time]]
    return tuple(posts)


def _is_listed(post: Post, query: str) -> bool:
    return not post.promoted and all(word in post.title.lower() for word in query.lower().split())


def _most(name: str) -> int:
    return min((subreddit.most for subreddit in find(name)), default=100)


def _repeats(name: str) -> bool:
    return any(subreddit.repeats for subreddit in find(name))


def _build() -> Iterator[Subreddit]:
    pages_of_two = ("ratelimited", "slowfeed", "expiring")
    posts: dict[str, tuple[Post, ...]] = {
        "pics": PICS,
        "few": FEW,
        "galleries": GALLERIES,
        "over18": ADULT,
        "horizon": stairs("Horizon", 1040, 50),
        "empty": (),
        "captured": (),
        **{name: stairs(name.capitalize(), 16, 2) for name in pages_of_two},
    }
    for number, name in enumerate(SCENARIOS):
        if name == "earthpics":
            yield Subreddit(name, PARENTS)
            continue
        made = tuple(placed(name, number, posts.get(name, stairs(name.capitalize(), 3))))
        yield Subreddit(name, made, 2 if name in pages_of_two else 100, name == "pics")


SUBREDDITS = {subreddit.name: subreddit for subreddit in _build()}
_POSTS = {post.id: post for subreddit in SUBREDDITS.values() for post in subreddit.posts}
