"""The posts of the replica's subreddits. Everything in them is made up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from tests.replica.reddit_posts import (
    NOW,
    Picture,
    Post,
    base36,
    external_picture,
    imgur_id,
    imgur_picture,
    media_id,
    reddit_picture,
)

_SHARED = reddit_picture("pics shared")
"""The picture that two posts of r/pics show."""

_PARENT_IMAGE = Post(
    "1vparnt",
    "earthpics",
    "image",
    "A hill that isn't there",
    media=(reddit_picture("hill"),),
    author="replica_geographer",
    score=77,
    created=NOW - 90_000,
)
_PARENT_GALLERY = Post(
    "1vparga",
    "earthpics",
    "gallery",
    "Three rivers, one map",
    media=tuple(reddit_picture(f"river {place}", form) for place, form in enumerate(("jpeg", "png", "jpeg"))),
    created=NOW - 80_000,
)
_PARENT_OLD = Post(
    "1vparol", "earthpics", "image", "Old but drawn", media=(reddit_picture("old hill", "png"),), created=1_490_000_000
)
_PARENT_SHARED = Post("1vparsh", "earthpics", "image", "Seen in two places", media=(_SHARED,), created=NOW - 70_000)


def image(title: str, form: str = "jpeg", extension: str = "", **facts: Any) -> Post:
    """A post of one file on i.redd.it; ``picture`` are facts of the picture."""
    return _post("image", title, reddit_picture(f"image {title}", form, extension, **_inner(facts)), **facts)


def gallery(title: str, *items: Picture, **facts: Any) -> Post:
    """A gallery."""
    return _post("gallery", title, *items, **facts)


def item(seed: str, form: str = "jpeg", **facts: Any) -> Picture:
    """A picture of a gallery or a text."""
    return reddit_picture(f"item {seed}", form, **facts)


def crosspost(title: str, parent: Post, **facts: Any) -> Post:
    """A crosspost; with ``link`` it carries the address of its parent, as old ones do."""
    return _post("crosspost", title, parent=parent, **facts)


def external(title: str, host: str = "photos.example", form: str = "jpeg", query: str = "", **facts: Any) -> Post:
    """A picture elsewhere."""
    seed = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return _post("external", title, external_picture(seed, host, form, query, **_inner(facts)), **facts)


def imgur(title: str, form: str = "jpeg", extension: str = "", **facts: Any) -> Post:
    """A file on imgur."""
    return _post("imgur", title, imgur_picture(title, form, extension, **_inner(facts)), **facts)


def gifv(title: str, **facts: Any) -> Post:
    """An animation on imgur: the post leads to a page, its picture is the file beside it."""
    picture = imgur_picture(title, "gif-animated")
    return _post("gifv", title, picture, link=f"{picture.url}v", **facts)


def imgur_page(title: str, form: str = "png", **facts: Any) -> Post:
    """A page on imgur. The picture is there as ``.jpg`` whatever it is."""
    picture = imgur_picture(title, form, "jpg", **_inner(facts))
    return _post("imgur-page", title, picture, link=f"https://imgur.com/{picture.id}", **facts)


def imgur_album(title: str, count: int, listed: int | None = None, **facts: Any) -> Post:
    """An album on imgur, whose page lists the first ``listed`` pictures, or all."""
    states = ["valid"] * (count if listed is None else listed)
    states += ["unlisted"] * (count - len(states))
    pictures = (
        imgur_picture(f"{title} {place}", ("jpeg", "png")[place % 2], state=state) for place, state in enumerate(states)
    )
    return _post("imgur-album", title, *pictures, link=f"https://imgur.com/a/{imgur_id(title)}", **_still(title, facts))


def video(title: str, **facts: Any) -> Post:
    """A video on v.redd.it."""
    return _post("video", title, link=f"https://v.redd.it/{media_id(title)}", **_still(title, facts))


def link(title: str, url: str, **facts: Any) -> Post:
    """A page elsewhere."""
    return _post("link", title, link=url, **_still(title, facts))


def text(title: str, body: str = "Words, and no picture.", *, kind: str = "text", **facts: Any) -> Post:
    """A text without pictures."""
    return _post(kind, title, text=body, **facts)


def self_post(title: str, *pictures: Picture, **facts: Any) -> Post:
    """A text with pictures in it."""
    return _post("self", title, *pictures, text="Some words & then a <picture>.", **facts)


def _post(kind: str, title: str, *media: Picture, **facts: Any) -> Post:
    return Post("", "", kind, title, media=media, **facts)


def _inner(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of the picture among those of its post."""
    return facts.pop("picture", {})


def _still(title: str, facts: dict[str, Any]) -> dict[str, Any]:
    still = external_picture(f"still-{media_id(title)}", "stills.example")
    return {"still": still, **facts}


def placed(subreddit: str, number: int, posts: Iterable[Post]) -> Iterator[Post]:
    """The posts with ids, times and scores; ``number`` keeps the ids of two subreddits apart."""
    taken = set()
    for index, post in enumerate(posts):
        random = Random(f"{subreddit} {index}")
        created = NOW - int(10 ** random.uniform(3.3, 8))
        while created in taken:
            created -= 1
        taken.add(created)
        yield replace(
            post,
            id=base36(36**6 + (number * 36**4) + index * 41),
            subreddit=subreddit,
            created=created,
            score=post.score if post.score != 1 else int(10 ** random.uniform(0.5, 4.5)),
            comments=random.randrange(400),
            ratio=round(random.uniform(0.5, 1), 2),
            author=post.author if post.author != "replica_painter" else f"replica_{random.randrange(30)}",
        )


_OLD_BOAT = imgur("A boat behind an old address")
_OLD_BOAT = replace(_OLD_BOAT, link=f"http://imgur.com/{_OLD_BOAT.media[0].name}")
"""A file on imgur as posts of old name it: another host, and in plain."""

PARENTS = (_PARENT_IMAGE, _PARENT_GALLERY, _PARENT_OLD, _PARENT_SHARED)
"""Parents of crossposts. They are the posts of r/earthpics."""

PICS = (
    text("Rules of this place: be kind & <stay> on topic", stickied=True, locked=True, score=12),
    image("Picture of the month", stickied=True, flair="Mod post", score=2500),
    image("A lighthouse at dusk [OC]", score=100_000, flair="OC"),
    image("A lighthouse at noon", extension="jpeg"),
    image("Cats & dogs <on a wall>", "png"),
    image('"Still" life with 3 > 2 apples', "gif"),
    image("A wheel that turns", "gif-animated"),
    image("A leaf, saved small", "webp"),
    gallery("Two doors", item("door 0"), item("door 1", "png"), flair="Gallery"),
    gallery(
        "Five bridges & how they were drawn",
        item("bridge 0", caption="The first <bridge> & its shadow"),
        item("bridge 1", "png", caption="Made of “stone”"),
        item("bridge 2", link="https://bridges.example/2?a=1&b=2"),
        item("bridge 3", caption="번째 다리"),
        item("bridge 4", "webp"),
        score=45_000,
    ),
    crosspost("Look at this hill", _PARENT_IMAGE, flair="Crosspost"),
    video("A wheel, filmed"),
    self_post("How I drew it", item("drawn 0"), item("drawn 1", "png")),
    text("Removed long ago", gone=True),
    imgur("A boat, by the old way", score=0),
    imgur("A boat with another ending", "png", "png"),
    gifv("A boat that rocks"),
    imgur_page("A boat on a page of its own"),
    imgur_album("All my boats", 3),
    imgur("A boat that sank", picture={"trap": "removed", "preview": "no"}, hinted=False),
    external("A castle on another host"),
    external("A castle with a query", "cdn.pictures.example", "png", "?w=1200&fit=crop"),
    link("A page about castles", "https://castles.example/page?id=1&lang=en"),
    text("Which castle?", kind="poll"),
    text("Nothing but words", score=3),
    image("By someone who left", author="[deleted]"),
    image("Taken away by a moderator, file still there", removed_by="moderator"),
    text("Gone, one of four", gone=True),
    text("Gone, two of four", gone=True),
    text("Gone, three of four", gone=True),
    text("Gone, four of four", gone=True),
    image("Not safe at work", nsfw=True, score=800),
    image("How the film ends", spoiler=True),
    gallery("Not safe, twice", item("unsafe 0"), item("unsafe 1"), nsfw=True),
    image("Buy a lighthouse now", promoted=True),
    image("So new that nothing is known of it", hinted=False),
    external("A castle without a hint", "static.gallery.example", "webp", hinted=False),
    image("Lost, but Reddit has a copy", picture={"trap": "removed"}, removed_by="deleted", author="[deleted]"),
    image("Lost, and no copy", picture={"trap": "removed", "preview": "no"}, hinted=False),
    image("Lost, and the copy too", picture={"trap": "removed", "preview": "gone"}),
    image("A web page in disguise", picture={"trap": "html", "preview": "no"}, hinted=False),
    image("Half a picture", picture={"trap": "cut", "preview": "no"}, hinted=False),
    image("No bytes at all", picture={"trap": "empty", "preview": "no"}, hinted=False),
    external("A castle that fell", picture={"trap": "removed"}),
    imgur("A boat that sank, with a copy", picture={"trap": "removed"}),
    gallery(
        "Gallery with holes",
        item("holes 0"),
        item("holes deleted", state="deleted"),
        item("holes 1", "png"),
        item("holes failed", state="failed"),
        item("holes 2"),
    ),
    gallery("Gallery that moves", item("moves 0"), item("moves 1", "gif-animated"), item("moves 2", state="video")),
    gallery("Three windows, kept for the comments", *(item(f"window {n}") for n in range(3)), expando=False),
    gallery("Four roofs", *(item(f"roof {n}", ("png", "jpeg")[n % 2]) for n in range(4)), spoiler=True),
    crosspost("Three rivers, seen again", _PARENT_GALLERY, hinted=False),
    crosspost("From before links were relative", _PARENT_OLD, link=_PARENT_OLD.url),
    image("A kettle", score=60),
    crosspost("Seen in two places, again", _PARENT_SHARED),
    _post("image", "Seen once more", _SHARED),
    imgur_album("All my other boats", 3, 1),
    link("A page without a preview", "https://castles.example/plain", hinted=False),
    link("A film elsewhere", "https://films.example/watch?v=1", flair="Film"),
    video("A wheel, filmed again", nsfw=True),
    _OLD_BOAT,
    image("A stair — up", extension="jpeg"),
    image("A stair - down", "png"),
    text("Gone near the end", gone=True),
    image("The last stair", "webp"),
    gallery("Two last doors", item("last 0", "png"), item("last 1", "png", caption="The end.")),
)

FEW = (
    image("Few: a cup"),
    gallery("Few: two plates", item("plate 0"), item("plate 1", "png", caption="With a crack")),
    imgur("Few: a spoon"),
    external("Few: a fork"),
    text("Few: a word"),
)

GALLERIES = tuple(
    gallery(
        f"Room {number} of the house",
        *(item(f"room {number} {place}", ("jpeg", "png", "jpeg")[place % 3]) for place in range(2 + number % 4)),
        expando=number % 4 != 3,
    )
    for number in range(8)
)

ADULT = tuple(image(f"Over eighteen, number {number}", nsfw=True) for number in range(4))


def stairs(name: str, count: int, every: int = 1) -> tuple[Post, ...]:
    """A long row of posts: a small picture ``every`` so many, texts between."""
    return tuple(
        image(f"{name}: step {number}") if number % every == 0 else text(f"{name}: step {number}")
        for number in range(count)
    )
