"""Pages of the replica's Unsplash. Their elements follow what crawlers of the site select; where the JSON stands, and
what the site says when it finds nothing, is made up, for no page was captured."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from tests.replica import unsplash_photos as catalogue
from tests.replica.unsplash_photos import HOST, LICENCE, PAID_HOST, SITE, Photo

_WIDTHS = (200, 400, 600, 1000, 1400)


def start() -> str:
    """The start page. Its state is a string within a script."""
    shown, more = catalogue.start_page(), catalogue.start_more()
    free = [photo for photo in shown if photo.trap != "paid"]
    state = _script_string({"feeds": {"home": [_record(photo, "feed") for photo in [*free, *more]]}})
    script = f"<script>window.__INITIAL_STATE__ = JSON.parse({state});</script>"
    return _page("Beautiful Free Images & Pictures", f"<h1>Unsplash</h1>{_grid(shown, 'feed')}{script}")


def search(q: str, found: Sequence[Photo]) -> str:
    """A search that found something. Its state is a script of JSON."""
    shown = [photo for photo in found if photo.trap != "hidden"][: catalogue.FIGURES]
    state = {"search": {"total": len(found), "results": [_record(photo, "search") for photo in found]}}
    grid = _grid([*shown, *catalogue.paid()], "search")
    return _page(f"{q} Pictures", f"<h1>{escape(q)}</h1>{grid}{_script_json(state)}")


def nothing(q: str) -> str:
    """A search that found nothing."""
    return _page(f"{q} Pictures", f"<h1>{escape(q)}</h1><h2>No results found</h2><p>Try another word.</p>")


def photo(shown: Photo) -> str:
    """The page of a photo. A picture does not link to itself; the page of every second photo has a state."""
    avatar = f'<img src="{shown.avatar_url}?w=32" alt="">'
    parts = [
        f'<header><a href="/@{shown.username}">{avatar}</a>{_profile_link(shown)}</header>',
        f'<div><button type="button">{_image(shown, "photo-page")}</button></div>',
        "<p>Unsplash+ only: <a href='/plus/license'>licence</a></p>"
        if shown.trap == "paid"
        else f'<p>Free to use under the <a href="{LICENCE}">Unsplash License</a></p>',
        _tags(shown),
        "<h2>Related images</h2>",
        _grid(catalogue.shown(shown), "photo-page") if shown.trap != "paid" else "",
    ]
    if shown.place % 2 == 0 and shown.trap != "paid":
        related = [_record(other, "photo-page") for other in catalogue.shown(shown) if other.trap != "paid"]
        parts.append(_script_json({"photo": _record(shown, "photo-page", whole=True), "related": related}))
    if shown.place % 3 == 0:
        parts.append(_json_ld(shown))
    head = f'<meta property="og:image" content="{escape(_sized(shown, 1200, "photo-page"))}&amp;h=630">'
    return _page(shown.description, "".join(parts), head)


def gone() -> str:
    """The page that stands for one which is not there."""
    said = "<h1>Page not found</h1><p>Hm, the page you were looking for doesn't seem to exist anymore.</p>"
    return f"<!DOCTYPE html><html><head><title>Page not found</title></head><body>{said}</body></html>"


def plain(said: str) -> str:
    """A page that says one thing: an error, or that the site has changed."""
    return f"<!DOCTYPE html><html><head><title>Unsplash</title></head><body><h1>{said}</h1></body></html>"


def shell() -> str:
    """A page that its script fills: :func:`filling`."""
    return (
        '<!DOCTYPE html><html><head><title>Unsplash</title></head><body><div id="app"></div>'
        '<script src="/a/main.js"></script></body></html>'
    )


def filling() -> str:
    """The script that fills the shell with a grid, and adds another one when somebody scrolls."""
    first, more = (json.dumps(_grid(photos, "search")) for photos in (catalogue.filled(), catalogue.filled_later()))
    return (
        f"const app = document.getElementById('app');\napp.style.paddingBottom = '200vh';\napp.innerHTML = {first};\n"
        f"addEventListener('scroll', () => app.insertAdjacentHTML('beforeend', {more}), {{once: true}});\n"
    )


def _page(title: str, body: str, head: str = "") -> str:
    """A page with what all have: links to searches at its top, and to the licence at its foot."""
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{escape(title)} | Unsplash</title>{head}</head><body>'
        f'<nav><a href="/" title="Unsplash"><img src="/logo.svg" alt="logo"></a>'
        f'<a href="/s/photos/wallpapers">Wallpapers</a></nav>{body}'
        f'<footer><a href="/license">License</a> <a href="/s/photos/popular">Popular</a></footer></body></html>'
    )


def _grid(photos: Iterable[Photo], kind: str) -> str:
    return f"<div>{''.join(_figure(photo, kind) for photo in photos)}</div>"


def _figure(photo: Photo, kind: str) -> str:
    title = f' title="{escape(photo.title)}"' if photo.title else ""
    profile = (
        f'<a href="/@{photo.username}"><img alt="Go to {escape(photo.photographer)}\'s profile" '
        f'srcset="{photo.avatar_url}?w=32&amp;dpr=1 1x, {photo.avatar_url}?w=32&amp;dpr=2 2x"></a>'
        f"{_profile_link(photo)}"
    )
    link = f'<a itemprop="contentUrl"{title} href="{photo.path}"><div>{_image(photo, kind)}</div></a>'
    return f'<figure itemprop="image">{link}<div>{profile}</div></figure>'


def _profile_link(photo: Photo) -> str:
    return f'<a href="/@{photo.username}">{escape(photo.photographer)}</a>'


def _image(photo: Photo, kind: str) -> str:
    widths = [width for width in _WIDTHS if width < photo.size[0]] + [photo.size[0]]
    srcset = ", ".join(f"{_sized(photo, width, kind)} {width}w" for width in widths)
    return f'<img alt="{escape(photo.description)}" sizes="100vw" srcset="{escape(srcset)}">'


def _sized(photo: Photo, width: int, kind: str) -> str:
    return f"{photo.image_url}?w={width}&auto=format&fit=crop&q=60&{_mark(kind)}"


def _mark(kind: str) -> str:
    """What says on which kind of page a picture was seen."""
    seen = base64.b64encode(f"3|1207|0|0|{kind}||||en|0".encode()).decode().rstrip("=")
    return f"ixlib=rb-4.0.3&ixid={quote(seen)}"


def _tags(photo: Photo) -> str:
    if photo.known_tags is None:
        return ""
    links = "".join(
        f'<a title="{escape(tag)} images" href="/s/photos/{quote(tag.replace(" ", "-"))}">{escape(tag)}</a>'
        for tag in photo.known_tags
    )
    return f"<div><h3>Related tags</h3><div>{links}</div></div>"


def _record(photo: Photo, kind: str, *, whole: bool = False) -> dict[str, Any]:
    """A photo as the site's API gives it; tags only where it is ``whole``."""
    mark = _mark(kind)
    record: dict[str, Any] = {
        "id": photo.code,
        "slug": photo.path.rpartition("/")[2],
        "width": photo.size[0],
        "height": photo.size[1],
        "description": photo.title,
        "alt_description": photo.description,
        "urls": {
            "raw": f"{photo.image_url}?{mark}",
            "full": f"{photo.image_url}?q=85&fm=jpg&crop=entropy&cs=srgb&{mark}",
            "regular": f"{photo.image_url}?q=80&fm=jpg&crop=entropy&cs=tinysrgb&w=1080&fit=max&{mark}",
        },
        "links": {"self": f"https://api.{HOST}/photos/{photo.code}", "html": photo.page_url},
        "user": {
            "name": photo.photographer,
            "username": photo.username,
            "profile_image": {"small": f"{photo.avatar_url}?w=32"},
            "links": {"html": photo.photographer_url},
        },
        "premium": photo.trap == "paid",
    }
    if whole and photo.known_tags is not None:
        cover = {"urls": {"raw": f"https://{PAID_HOST}/premium_photo-{photo.id}"}}
        record["tags"] = [
            {"type": "search", "title": tag, "source": {"cover_photo": cover}} for tag in photo.known_tags
        ]
    return record


def _json_ld(photo: Photo) -> str:
    value = {
        "@context": "https://schema.org",
        "@type": "ImageObject",
        "contentUrl": photo.image_url,
        "license": LICENCE if photo.trap != "paid" else f"{SITE}/plus/license",
        "acquireLicensePage": photo.page_url,
        "creditText": photo.photographer,
    }
    return f'<script type="application/ld+json">{_safe(json.dumps(value))}</script>'


def _script_json(value: Any) -> str:
    return f'<script type="application/json">{_safe(json.dumps(value))}</script>'


def _script_string(value: Any) -> str:
    return _safe(json.dumps(json.dumps(value)))


def _safe(text: str) -> str:
    return text.replace("</", "<\\/")
