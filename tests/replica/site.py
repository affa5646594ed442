"""The hosts for the spider ``site``: the red panda archive, a maze, a wall that a browser has to scroll, and one that
others link to and no crawl of theirs should ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.replica import site_archive as catalogue
from tests.replica import site_archive_pages as pages
from tests.replica import site_maze, site_wall
from tests.replica.exchange import Answer, Request, Site, not_found, page, redirect, robots_txt
from tests.replica.pictures import FORMATS, PictureAddress
from tests.replica.site_pictures import send

ROBOTS = "User-agent: *\nDisallow: /private/\n"
ELSEWHERE_HOST = "www.elsewhere.example"

_SMALLER = re.compile(r"(?P<stem>.+-\d)-(?P<width>\d{2,3})x(?P<height>\d{2,3})(?P<ending>\.[a-z]+)")
_LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect width="90" height="30" fill="#b43"/>'
    b'<circle cx="15" cy="15" r="9" fill="#fff"/></svg>'
)
_STATIC: dict[str, tuple[str, Callable[[], bytes]]] = {
    catalogue.LOGO: ("image/svg+xml", lambda: _LOGO),
    catalogue.PIXEL: ("image/gif", PictureAddress("gif", (1, 1), "pixel").picture),
    catalogue.SPRITE: ("image/png", PictureAddress("png-alpha", (48, 48), "icons").picture),
    catalogue.ICON: ("image/x-icon", PictureAddress("ico", (32, 32), "icon").picture),
    "/static/banner.jpg": ("image/jpeg", catalogue.BANNER.data),
    "/private/keepers.jpg": ("image/jpeg", PictureAddress("jpeg", (300, 200), "keepers").picture),
}


def sites() -> dict[str, Site]:
    """Every host."""
    return {
        catalogue.BARE_HOST: bare,
        catalogue.HOST: website,
        catalogue.IMAGE_HOST: images,
        ELSEWHERE_HOST: elsewhere,
        site_maze.HOST: site_maze.maze,
        site_maze.GAP_HOST: site_maze.gap,
        site_wall.HOST: site_wall.wall,
    }


def bare(request: Request) -> Answer:
    """red-panda-archive.example: the same path on www."""
    return redirect(f"{catalogue.SITE}{request.path}", 301)


def website(request: Request) -> Answer:
    """www.red-panda-archive.example."""
    route = unquote(request.route)
    if route in _STATIC:
        mime, make = _STATIC[route]
        return send(request, make(), mime)
    match route:
        case "/robots.txt":
            return robots_txt(ROBOTS)
        case catalogue.PRIVATE_PAGE:
            return page(pages.private())
    query = "&".join(f"{name}={value}" for name, value in sorted(request.params.items()))
    if found := catalogue.by_path(f"{route}{query and '?'}{query}"):
        return page(pages.render(found))
    return images(request)


def images(request: Request) -> Answer:
    """img.red-panda-archive.example, and the pictures on www: as large as they are, or smaller by name."""
    url = f"https://{request.host}{request.route}"
    smaller = _SMALLER.fullmatch(url)
    picture = catalogue.by_url(f"{smaller['stem']}{smaller['ending']}" if smaller else url)
    if picture is None:
        return not_found()
    at = (int(smaller["width"]), int(smaller["height"])) if smaller else None
    return send(request, picture.data(at), FORMATS[picture.format].mime)


def elsewhere(request: Request) -> Answer:
    """www.elsewhere.example: a page at any address, and a picture at any that ends like one."""
    if request.route == "/robots.txt":
        return not_found()
    if request.route.endswith(".jpg"):
        return send(request, PictureAddress("jpeg", (200, 150), request.route).picture(), "image/jpeg")
    shown = '<h1>Elsewhere</h1><img src="/elsewhere.jpg" alt="Elsewhere"><a href="/more">More</a>'
    return page(pages.document("Elsewhere", shown))
