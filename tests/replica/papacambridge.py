"""The past-paper site, pastpapers.papacambridge.com: both eras at once, and the home page it sends the lost to."""

from __future__ import annotations

import hashlib

from tests.replica import papacambridge_pages as pages
from tests.replica import papers
from tests.replica.exchange import Answer, Request, not_found, page, redirect
from tests.replica.papacambridge_files import MEDIA_TYPES, extension
from tests.replica.papers import Paper


def home(request: Request) -> Answer:
    """papacambridge.com: nothing but a home page."""
    if request.route not in {"/", "/home/index.html"}:
        return not_found()
    link = f'<a href="{papers.SITE}/papers/caie">Past Papers</a>'
    return page(pages.plain("PapaCambridge", link))


def past_papers(request: Request) -> Answer:
    """Listings and files of both eras. It has no robots.txt, and no 404 for anything else."""
    match request.route.strip("/").split("/"):
        case ["robots.txt"]:
            return not_found()
        case [""]:
            return _lister(request)
        case ["view.php"]:
            shown = papers.paper_at(f"{papers.SITE}/{request.params.get('id', '')}")
            return page(pages.viewer(shown)) if shown else _lost()
        case ["papers", board, *slug]:
            return _listing(board.lower(), "/".join(slug).lower())
        case ["viewer", *_]:
            return page(pages.viewer(None))
        case ["download_file.php"]:
            return _file(request, papers.paper_at(request.params.get("files", "")), attached=True)
        case _:
            return _file(request, papers.paper_at(request.url))


def _lister(request: Request) -> Answer:
    names = request.params.get("dir", "").strip("/").split("/")
    folder = papers.folder("A", tuple(filter(None, names)))
    return page(pages.lister(folder)) if folder else _lost()


def _listing(board: str, slug: str) -> Answer:
    folder = papers.folder_of_slug(board, slug)
    return page(pages.listing(folder) if folder else pages.unknown_slug())


def _file(request: Request, paper: Paper | None, *, attached: bool = False) -> Answer:
    if not paper or paper.trap == "soft-404":
        return _lost()
    if paper.trap == "503":
        return page("<html><body>Service Unavailable</body></html>", 503)
    mark = ("ETag", f'"{hashlib.sha256(paper.body).hexdigest()[:16]}"')
    if request.headers.get("if-none-match") == mark[1]:
        return Answer(304, (mark,))
    disposition = (("Content-Disposition", f'attachment; filename="{paper.name}"'),) if attached else ()
    return Answer(200, (("Content-Type", MEDIA_TYPES[extension(paper.name)]), mark, *disposition), paper.body)


def _lost() -> Answer:
    """The soft 404: what is not there leads to a page that is."""
    return redirect(papers.HOME)
