"""The hosts of the replica's Unsplash: its pages here, its pictures in ``unsplash_pictures``."""

from __future__ import annotations

import re
from urllib.parse import unquote

from tests.replica import unsplash_pages as pages
from tests.replica import unsplash_photos as catalogue
from tests.replica.exchange import Answer, Request, Site, not_found, page, redirect, robots_txt
from tests.replica.unsplash_pictures import images, plus

ROBOTS = "User-agent: *\nDisallow: /napi/\nDisallow: /photos/*/download\nAllow: /\n"

_PHOTO = re.compile(r"/photos/(?:.*-)?(?P<code>[\w-]{11})")
_SEARCH = re.compile(r"/s/photos/(?P<q>[^/]+)")


def sites() -> dict[str, Site]:
    """Every host of the site."""
    return {
        catalogue.HOST: website,
        catalogue.IMAGE_HOST: images,
        catalogue.PAID_HOST: plus,
    }


def website(request: Request) -> Answer:
    """unsplash.com."""
    route = request.route
    if found := _PHOTO.fullmatch(route):
        return _photo(found["code"], route)
    if found := _SEARCH.fullmatch(route):
        return _search(unquote(found["q"]))
    match route:
        case "/":
            return page(pages.start())
        case "/robots.txt":
            return robots_txt(ROBOTS)
        case "/license":
            return page(pages.plain("License"))
        case "/a/main.js":
            return page(pages.filling(), content_type="text/javascript; charset=utf-8")
    if route.startswith("/napi/"):
        return page("[]", content_type="application/json")
    return not_found()


def _photo(code: str, route: str) -> Answer:
    """The page of a photo; any other words before its code, or none, lead to its address."""
    photo = catalogue.by_code(code)
    if photo is None or photo.trap == "gone":
        return page(pages.gone(), 404)
    return page(pages.photo(photo)) if route == photo.path else redirect(photo.path, 301)


def _search(q: str) -> Answer:
    q = q.replace("-", " ")
    match q:
        case "shell":
            return page(pages.shell())
        case "changed":
            return page(pages.plain("Welcome to the new Unsplash"))
    if status := catalogue.SEARCHES.get(q):
        return page(pages.plain("Something went wrong"), status)
    found = catalogue.search(q)
    return page(pages.search(q, found) if found else pages.nothing(q))
