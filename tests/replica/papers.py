"""The past papers of the replica: every folder and file of both eras of the site, and what should become of each.

Era A is the directory lister (``/?dir=``), era B the one of slugs (``/papers/``). Tests compare a crawl with
:func:`files` and :func:`traps`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote, urlsplit

from tests.replica.papacambridge_files import spoiled_file, whole_file
from tests.replica.papacambridge_tree import ERA_A, ERA_B, Dir, File

HOST = "pastpapers.papacambridge.com"
SITE = f"https://{HOST}"
HOME_HOST = "papacambridge.com"
HOME = f"https://{HOME_HOST}/home/index.html"
"""Where the site sends whoever asks for something that is not there."""

Path = tuple[str, ...]
"""Of a folder: the names of the directories (era A) or the slugs (era B), from the board down."""


@dataclass(frozen=True)
class Trap:
    """What a crawl should make of a file that cannot be had."""

    outcome: str
    reason: str


TRAPS = {
    "soft-404": Trap("failed", "not-the-file"),
    "html": Trap("failed", "not-the-file"),
    "cut-pdf": Trap("failed", "truncated"),
    "cut-zip": Trap("failed", "truncated"),
    "broken-zip": Trap("failed", "broken"),
    "empty": Trap("failed", "empty"),
    "503": Trap("failed", "http-503"),
}
"""By name. A soft 404 is a redirect to :data:`HOME`; ``html`` calls itself what the extension says."""


@dataclass(frozen=True)
class Paper:
    """A file. ``body`` is what its address sends, spoiled if it is a trap, empty if it sends no file."""

    era: str
    url: str
    name: str
    folder: Path
    body: bytes = field(repr=False)
    also_in: tuple[Path, ...] = ()
    trap: str = ""
    manner: str = ""

    @property
    def outcome(self) -> str:
        """What a crawl should make of it."""
        return TRAPS[self.trap].outcome if self.trap else "stored"

    @property
    def reason(self) -> str | None:
        """Why it cannot be had."""
        return TRAPS[self.trap].reason if self.trap else None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that lists it."""
        return (self.folder, *self.also_in)

    @property
    def relative_url(self) -> str:
        """Its address without the site and without a leading slash, as pages write it."""
        return self.url.removeprefix(f"{SITE}/")

    @property
    def view_url(self) -> str:
        """The address of its viewer page."""
        if self.era == "A":
            return f"{SITE}/view.php?id={self.relative_url.replace('?', '&')}"
        slug = re.sub("[^a-z0-9]+", "-", f"{self.folder[-1]}-{self.name}".lower())
        return f"{SITE}/viewer/{self.folder[0]}/{slug}"

    @property
    def download_url(self) -> str:
        """The second address of a file of era B, which sends it as an attachment."""
        return f"{SITE}/download_file.php?files={self.url}"


@dataclass(frozen=True)
class Folder:
    """A folder and what its page lists: ``folders`` are its own, ``aside`` other subjects' among them."""

    era: str
    path: Path
    label: str
    style: str
    link: str
    folders: tuple[Path, ...]
    aside: tuple[Path, ...]
    papers: tuple[Paper, ...]

    @property
    def url(self) -> str:
        """The address of its page."""
        if self.era == "B":
            return "/".join([SITE, "papers", self.path[0], *self.path[1:][-1:]])
        return f"{SITE}/?dir={quote('/'.join(self.path))}" if self.path else f"{SITE}/"


def files(era: str, within: str = "") -> list[Paper]:
    """Every file that can be had, each once; those listed at or below a folder called ``within``, if it is given."""
    return [paper for paper in _papers(era, within) if not paper.trap]


def traps(era: str, within: str = "") -> list[Paper]:
    """Every file that is listed and cannot be had."""
    return [paper for paper in _papers(era, within) if paper.trap]


def folders(era: str) -> list[Folder]:
    """Every folder that has a page, from the top down. The first of era A, with an empty path, lists the boards."""
    return [folder for (of, _), folder in _FOLDERS.items() if of == era]


def folder(era: str, path: Path) -> Folder | None:
    """The folder at ``path``."""
    return _FOLDERS.get((era, path))


def folder_of_slug(board: str, slug: str) -> Folder | None:
    """The folder of era B whose page is ``/papers/<board>/<slug>``; the board itself has no slug."""
    return _BY_SLUG.get((board, slug))


def paper_at(url: str) -> Paper | None:
    """The file at an address, however its path is quoted; a query that means nothing is ignored."""
    parts = urlsplit(url)
    if parts.hostname != HOST:
        return None
    path = unquote(parts.path)
    return _BY_ADDRESS.get((path, parts.query)) or _BY_ADDRESS.get((path, ""))


def _papers(era: str, within: str) -> Iterator[Paper]:
    for paper in _PAPERS.values():
        if paper.era == era and (not within or any(within in path for path in paper.folders)):
            yield paper


def _address(era: str, path: Path, file: File) -> str:
    if era == "B":
        board = path[0].upper()
        return f"{SITE}/directories/{board}/{board}-pastpapers/upload/{quote(file.name)}"
    home = (*path[:-1], file.home) if file.home else path
    return f"{SITE}/{quote('/'.join((*home, file.name)))}{'?' if file.query else ''}{file.query}"


def _body(file: File, seed: str) -> bytes:
    if not file.trap:
        return whole_file(file.name, seed)
    return spoiled_file(file.trap, file.name, seed) if file.trap not in {"soft-404", "503"} else b""


def _read(era: str, directory: Dir, path: Path, style: str) -> None:
    """Enter a folder, its files, and all that is below it."""
    directories = [entry for entry in directory.inside if isinstance(entry, Dir)]
    below = [(entry, (*path, _full_name(entry, path))) for entry in directories]
    listed = []
    for entry in directory.inside:
        if isinstance(entry, File):
            listed.append(_address(era, path, entry))
            _enter(Paper(era, listed[-1], entry.name, path, _body(entry, listed[-1]), (), entry.trap, entry.manner))
    _LISTED[era, path] = listed
    _FOLDERS[era, path] = Folder(
        era=era,
        path=path,
        label=directory.label or directory.name,
        style=directory.style or style,
        link=directory.link,
        folders=tuple(deeper for _, deeper in below),
        aside=tuple((*path[:-1], name) for name in directory.aside),
        papers=(),
    )
    for entry, deeper in below:
        _read(era, entry, deeper, directory.style or style)


def _full_name(directory: Dir, path: Path) -> str:
    return path[-1] + directory.name if directory.name.startswith("-") else directory.name


def _enter(paper: Paper) -> None:
    """Keep a file, or add a folder to one that is known already. Where an era A file lives comes before the others."""
    known = _PAPERS.get(paper.url)
    if known:
        paper = replace(known, also_in=(*known.also_in, paper.folder))
    _PAPERS[paper.url] = paper


_PAPERS: dict[str, Paper] = {}
_FOLDERS: dict[tuple[str, Path], Folder] = {}
_LISTED: dict[tuple[str, Path], list[str]] = {}

_read("A", Dir("", ERA_A), (), "table")
for _board in ERA_B:
    _read("B", _board, (_board.name,), "")
for _key, _addresses in _LISTED.items():
    _FOLDERS[_key] = replace(_FOLDERS[_key], papers=tuple(_PAPERS[address] for address in _addresses))

_BY_SLUG = {
    (path[0], path[-1] if len(path) > 1 else ""): folder for (era, path), folder in _FOLDERS.items() if era == "B"
}
_BY_ADDRESS = {(unquote(urlsplit(url).path), urlsplit(url).query): paper for url, paper in _PAPERS.items()}
