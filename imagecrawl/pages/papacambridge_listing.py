"""Listing pages of pastpapers.papacambridge.com, of both eras: what is told apart by links and classes, never by order.

The marks of era A are ``data-name`` with ``data-href`` on each entry (``li`` in 2018, ``td`` in 2019; a sister site has
``row-data-name`` on ``tr``) and ``?dir=`` or ``view.php?id=`` links; those of era B the container
``#datafile .files-list-main``, entries ``.kt-widget4__item`` with a ``span.wraptext``, and ``download_file.php?files=``
links. They were read from some 25 public scrapers of the site, from 2018 to 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from parsel import Selector, SelectorList

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError
from imagecrawl.pages.papacambridge_names import EXTENSIONS, PaperName, extension_of, parse_file_name
from imagecrawl.pages.papacambridge_places import (
    HOST,
    ROOT,
    Address,
    Folder,
    Place,
    Session,
    folded,
    leads_elsewhere,
    place_below,
    place_of,
    query_value,
    read_address,
)
from imagecrawl.pages.values import encodable, parse_document

_LISTER = "#directory-listing, [data-name][data-href], [row-data-name]"
_CONTAINER = "#datafile .files-list-main"
_FROM_ROOT = re.compile(r"(?:\./)?(?:papers/|viewer/|download_file\.php|directories/)", re.IGNORECASE)
_SERIES = {"m": "March", "s": "May-June", "w": "Oct-Nov", "y": "Specimen"}
_NO_NAMES = {"", ".", ".."}
_RESERVED = "!$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One file of a listing page."""

    name: str
    """The file's own name, decoded: ``9609_w19_gt.pdf``."""
    urls: tuple[str, ...]
    """Where it is, best first: the file itself, then, in era B, the address that sends it as a download."""
    label: str | None
    """What the page calls it (``Question Paper 11, Paper 1``); ``None`` in era A, which has the name only."""
    code: str | None
    """The subject: that of the page, else of the name. So is the session."""
    session: Session | None
    type: str | None
    """This and what follows: see :class:`~imagecrawl.pages.papacambridge_names.PaperName`."""
    paper: int | None
    variant: int | None
    extension: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a page lists, in its order, each address once."""

    folders: list[Folder] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)


def parse_listing(text: str, *, url: str, place: Place, status: int = 200, asked: str | None = None) -> Listing:
    """The folders below a listing page and the files on it; both are empty for an empty page.

    ``url`` is the final address, ``asked`` the one that was asked for, ``place`` where the page stands. Raises
    PageBlockedError for an error status; PageEmptyError for 404 and 410, and when a redirect led away from listing
    pages or up the tree, which is how the site says "not found"; PageChangedError when the page is no listing.
    """
    _check_status(status, url)
    address = _address(url, asked)
    page = parse_document(text)
    read = _read_lister if address.is_lister else _read_container
    listing = read(page, url=url, address=address, place=place)
    if listing is None:
        title = folded(page.css("title::text").get())[:80]
        raise PageChangedError(f"there is no list of papers on {folded(url)} ({title!r}): no such page, or it changed")
    return listing


def _check_status(status: int, url: str) -> None:
    if status in {404, 410}:
        raise PageEmptyError(f"{HOST} has no such page: {status} ({folded(url)})")
    if status >= 400:
        raise PageBlockedError(Obstacle.REFUSED, f"{HOST} answered {status} ({folded(url)})", ends_crawl=status == 429)


def _address(url: str, asked: str | None) -> Address:
    """The parts of the final address; raises PageEmptyError for the redirects that stand for "not found"."""
    before = _listing_address(asked or "")
    after = _listing_address(url)
    if before and (after is None or len(place_of(after).path) < len(place_of(before).path)):
        raise PageEmptyError(f"{HOST} has no such page: {folded(asked)} led to {folded(url)}")
    if after is None:
        raise PageChangedError(f"Not the address of a page that lists papers: {folded(url)}")
    return after


def _listing_address(url: str) -> Address | None:
    try:
        return read_address(url)
    except ValueError:
        return None


# Era A


def _read_lister(page: Selector, *, url: str, address: Address, place: Place) -> Listing | None:
    folders: dict[str, Folder] = {}
    papers: dict[str, Paper] = {}
    for element in page.xpath("//*[@data-name and @data-href] | //a[@href]"):
        row = element.xpath("ancestor-or-self::*[@data-name or @row-data-name][1]")
        row_name = folded(row.xpath("@data-name | @row-data-name").get())
        for href in element.xpath("self::*[@data-name]/@data-href | self::a/@href").getall():
            link = _site_link(url, href)
            if link is None or row_name == "..":
                continue
            target = _listing_address(link.geturl())
            if target is not None:
                _add_folder(folders, here=address, target=target)
            elif _is_lister_file(element, link, address=address, is_row=bool(row)):
                paper = _paper(_file_link(link), place=place, row_name=row_name)
                papers.setdefault(paper.urls[0], paper)
    if not (folders or papers or page.css(_LISTER)):
        return None
    return Listing([*folders.values()], [*papers.values()])


def _add_folder(folders: dict[str, Folder], *, here: Address, target: Address) -> None:
    """Adds what lies below the page; links up, sideways and to the other era lead elsewhere."""
    depth = len(here.segments)
    if target.is_lister and len(target.segments) > depth and target.segments[:depth] == here.segments:
        folders.setdefault(target.url, Folder(folded(target.segments[-1]), target.url, place_of(target)))


def _is_lister_file(element: Selector, link: SplitResult, *, address: Address, is_row: bool) -> bool:
    """True for a link to a file: an entry, a viewer, a known extension, or a button that says so.

    Outside of the entries only what lies below the folder belongs to it: the site's files lie where they are listed.
    """
    path = unquote(_file_link(link).path)
    is_here = is_row or path.startswith(f"/{'/'.join(address.segments)}/")
    if not is_here or _name_of(path).lower() in {*_NO_NAMES, "index.php", "view.php"}:
        return False
    if extension_of(path) in EXTENSIONS or _is_viewer(link) or element.xpath("self::*[@data-name and @data-href]"):
        return True
    return bool(folded(element.xpath("string()").get()).lower() == "download")


def _is_viewer(link: SplitResult) -> bool:
    return link.path.rpartition("/")[2] == "view.php"


def _file_link(link: SplitResult) -> SplitResult:
    """The file itself where the link leads to the page that shows it, ``view.php?id=<path of the file>``."""
    value = query_value(link.query, "id") if _is_viewer(link) else None
    return (_decoded_link(value) if value else None) or link


# Era B


def _read_container(page: Selector, *, url: str, address: Address, place: Place) -> Listing | None:
    board, parent = (*address.segments, "")[:2]
    containers = page.css(_CONTAINER)
    listing = _read_links(containers.xpath(".//a[@href]"), page, url=url, place=place, board=board, parent=parent)
    if parent or listing.folders or listing.papers:
        return listing if containers else None
    # The page of a board may have the levels in its menu only.
    menu = page.css(f'a.kt-menu__link[href*="papers/{_css_string(board)}/"]')
    in_menu = _read_links(menu, page, url=url, place=place, board=board, parent=parent)
    return Listing(folders=in_menu.folders) if containers or in_menu.folders else None


def _read_links(
    links: SelectorList[Selector], page: Selector, *, url: str, place: Place, board: str, parent: str
) -> Listing:
    base = _base(page, url)
    folders: dict[str, Folder] = {}
    papers: dict[str, Paper] = {}
    for anchor in links:
        link = _site_link(base, anchor.xpath("@href").get(""))
        if link is None:
            continue
        target = _listing_address(link.geturl())
        if target is None:
            for paper in _papers_of(anchor, link, place=place):
                _add_paper(papers, paper)
        elif not target.is_lister and len(target.segments) == 2 and target.segments[0] == board:
            label, slug = _title(anchor), target.segments[1]
            if target.url not in folders and label != ".." and not leads_elsewhere(place, slug=slug, parent=parent):
                child = place_below(place, slug=slug, parent=parent, label=label)
                folders[target.url] = Folder(label or child.path[-1], target.url, child)
    return Listing([*folders.values()], [*papers.values()])


def _papers_of(anchor: Selector, link: SplitResult, *, place: Place) -> Iterator[Paper]:
    """The file that a link leads to, if it does. The pages that show files (``/viewer/``) are none."""
    label = _label(anchor)
    value = query_value(link.query, "files") if link.path.endswith("/download_file.php") else None
    if value is not None:
        target = _decoded_link(value)
        download = quote(link._replace(scheme="https", netloc=HOST, fragment="").geturl(), safe=_RESERVED)
        if target is not None and _name_of(unquote(target.path)) not in _NO_NAMES:
            yield _paper(target, place=place, label=label, download=download)
    elif extension_of(unquote(link.path)) in EXTENSIONS and not link.path.lower().startswith("/viewer/"):
        yield _paper(link, place=place, label=label)


def _add_paper(papers: dict[str, Paper], paper: Paper) -> None:
    """Adds a file, or to a known one the address and the label that it lacks."""
    known = papers.setdefault(paper.urls[0], paper)
    if len(known.urls) < len(paper.urls) or (known.label is None and paper.label):
        urls = max(known.urls, paper.urls, key=len)
        papers[paper.urls[0]] = replace(known, urls=urls, label=known.label or paper.label)


def _item(anchor: Selector) -> SelectorList[Selector]:
    return anchor.xpath("ancestor::*[contains(concat(' ', normalize-space(@class), ' '), ' kt-widget4__item ')][1]")


def _title(anchor: Selector) -> str:
    """The text of a folder's link, or of its entry where the link is an icon."""
    said = _texts(anchor.css("span.wraptext")) or folded(anchor.xpath("string()").get())
    return said or _texts(_item(anchor).css("span.wraptext"))


def _label(anchor: Selector) -> str | None:
    """What the entry of a file says: its text, and its badges where they say something else."""
    item = _item(anchor)
    texts = [_texts(item.css("span.wraptext"))]
    texts += [folded(badge.xpath("string()").get()) for badge in item.css("span.badge")]
    return ", ".join(dict.fromkeys(text for text in texts if text)) or None


def _texts(elements: SelectorList[Selector]) -> str:
    """The text of the first element, without badges in it."""
    inside = elements[:1].xpath(".//text()[not(ancestor::*[contains(concat(' ', @class, ' '), ' badge ')])]")
    return folded(" ".join(inside.getall()))


def _base(page: Selector, url: str) -> str:
    try:
        return urljoin(url, encodable(page.css("base[href]").xpath("@href").get("")).strip())
    except ValueError:
        return url


def _css_string(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", lambda char: f"\\{ord(char[0]):x} ", text)


# Links


def _site_link(base: str, href: str) -> SplitResult | None:
    """A link of a page as an absolute one; ``None`` when it leads off the site or nowhere.

    Pages of era B write links from the root without a leading slash (``papers/caie/igcse``).
    """
    href = encodable(href).strip()
    try:
        link = urlsplit(urljoin(ROOT if _FROM_ROOT.match(href) else encodable(base), href))
    except ValueError:
        return None
    is_ours = link.scheme in {"http", "https"} and link.hostname == HOST
    return link._replace(scheme="https", netloc=HOST, fragment="") if is_ours else None


def _decoded_link(value: str) -> SplitResult | None:
    """The file that an encoded parameter names, by its absolute address or by its path from the root."""
    decoded = unquote(value, errors="surrogateescape").strip()
    try:
        if re.match("https?://", decoded, re.IGNORECASE):
            return urlsplit(decoded.replace("#", "%23"))
    except ValueError:
        return None
    path = quote(decoded.lstrip("/"), safe="/", errors="surrogateescape")
    return urlsplit(ROOT)._replace(path=f"/{path}")


def _paper(
    link: SplitResult, *, place: Place, label: str | None = None, download: str | None = None, row_name: str = ""
) -> Paper:
    name = _name_of(unquote(link.path))
    if row_name and extension_of(name) not in EXTENSIONS:
        name = row_name  # the address may be that of a script
    said = parse_file_name(name)
    direct = _file_url(link) if link.hostname == HOST else None
    return Paper(
        name=name,
        urls=tuple(url for url in (direct, download) if url),
        label=label,
        code=place.code or said.code,
        session=place.session or _session_of(said),
        type=said.type,
        paper=said.paper,
        variant=said.variant,
        extension=said.extension,
    )


def _name_of(path: str) -> str:
    return encodable(path.rpartition("/")[2]).strip()


def _file_url(link: SplitResult) -> str:
    """The address of a file, encoded as the site does it: all but letters, digits, ``-_.~`` and slashes."""
    path = quote(unquote(link.path, errors="surrogateescape"), safe="/", errors="surrogateescape")
    query = quote(link.query, safe=_RESERVED, errors="surrogateescape")
    return link._replace(scheme="https", netloc=HOST, path=path, query=query, fragment="").geturl()


def _session_of(said: PaperName) -> Session | None:
    if said.year is None or said.letter not in _SERIES:
        return None
    return Session(said.year, said.letter, f"{said.year}-{_SERIES[said.letter]}")
