"""The pages of the past-paper site: the directory lister of era A, the theme of era B, and a few plain ones."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from tests.replica import papers
from tests.replica.papacambridge_files import extension
from tests.replica.papacambridge_tree import CIE
from tests.replica.papers import HOME, SITE, Folder, Paper, Path

BASE = f'<base href="{SITE}/">'
"""What some pages of era B have and some lack, though all of them write their links for it."""
VIGNETTE = "#google_vignette"
"""What an advertisement leaves at the end of an address."""

_BUTTON = "btn btn-outline-primary bbx hidden-sm hidden-xs pull-right"
_TITLE = "kt-widget4__title kt-nav__link-text cursor colorgrey stylefont fonthover"
_AD = "https://ads.example/click/free-past-papers.pdf"
_SOCIAL = '<a href="https://www.facebook.com/PapaCambridge"><i class="fa fa-facebook"></i></a>'
_TYPES = {
    "ci": "Confidential Instructions",
    "er": "Examiner Report",
    "gt": "Grade Threshold",
    "in": "Insert",
    "ms": "Mark Scheme",
    "pre": "Pre-release Material",
    "qp": "Question Paper",
    "sf": "Source Files",
    "sm": "Specimen Mark Scheme",
    "sp": "Specimen Paper",
    "tn": "Teacher Notes",
}


def plain(title: str, body: str = "") -> str:
    """A page without a listing: the home page, a viewer, a slug that nobody knows."""
    return _document(title, f"<h1>{escape(title)}</h1>{body}")


def viewer(paper: Paper | None) -> str:
    """The page that shows a file; it is no file itself."""
    frame = f'<iframe src="{escape(paper.relative_url)}"></iframe>' if paper else ""
    return plain("Viewer", f'<div id="viewer">{frame}</div>')


# --- era A ---


def lister(folder: Folder) -> str:
    """A page of the directory lister: a list (2018) or a table (2019). Its links are relative to the root."""
    listing = _list(folder) if folder.style == "list" else _table(folder)
    elsewhere = "".join(f'<a class="clearfix" href="{href}">{text}</a>' for text, href in _elsewhere(folder.path))
    trail = "".join(
        f'<span class="divider">/</span><a href="{_dir_href(folder.path[: depth + 1])}">{escape(name)}</a>'
        for depth, name in enumerate(folder.path)
    )
    return _document(
        "/".join(folder.path) or "Past Papers",
        f'<div id="page-navbar" class="navbar"><p class="navbar-text"><a href="{SITE}/">Home</a>{trail}</p></div>'
        f'<div class="ads"><ins class="adsbygoogle"></ins><a href="{_AD}">Download</a>'
        f'<a class="{_BUTTON}" href="#">Download</a></div>'
        f'{listing}<div class="footer">{elsewhere}<a href="{VIGNETTE}">Close</a>'
        f'<a href="javascript:window.scrollTo(0,0)">Top</a>{_SOCIAL}</div>',
    )


def _table(folder: Folder) -> str:
    rows = [_folder_cell(name, href, end) for name, href, end in _lister_folders(folder)]
    rows.insert(2, f'<td><ins class="adsbygoogle"></ins><a href="{_AD}">Sponsored</a></td>')
    rows += [_file_cell(paper) for paper in folder.papers]
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        '<div id="data"><div class="row"><div class="col-lg-8 blog_sidebar_left">'
        f'<table class="table"><tbody>{body}</tbody></table></div></div></div>'
    )


def _folder_cell(name: str, href: str, end: str) -> str:
    named = f'data-name="{escape(name)}"'
    return (
        f'<td {named} data-href="{href}"><a href="{href}{end}" class="clearfix" {named}>\n'
        f'  <i class="fa fa-folder fa-fw"></i> {escape(name)} \n</a></td>'
    )


def _file_cell(paper: Paper) -> str:
    named, view = f'data-name="{escape(paper.name)}"', escape(_relative(paper.view_url))
    button = f'<a href="{escape(paper.relative_url)}" class="{_BUTTON}"> Download </a>'
    return (
        f'<td {named} data-href="{escape(paper.relative_url)}"><a href="{view}" class="clearfix" {named}>\n'
        f'  <i class="fa fa-file-pdf-o fa-fw"></i> {escape(paper.name)} \n</a>'
        f"{'' if paper.manner == 'no button' else button}"
        f'<a href="{view}" class="btn btn-outline-success bbx hidden-sm hidden-xs pull-right"> View </a></td>'
    )


def _list(folder: Folder) -> str:
    items = [_list_item(name, href, end, icon="fa-folder", size="-") for name, href, end in _lister_folders(folder)]
    for paper in folder.papers:
        size = f"{len(paper.body) / 1024:.2f}KB"
        info = '<a href="javascript:void(0)" class="file-info-button"><i class="fa fa-info-circle"></i></a>'
        items.append(
            _list_item(paper.name, escape(_relative(paper.view_url)), "", icon="fa-file-pdf-o", size=size, more=info)
        )
    return f'<ul id="directory-listing" class="nav nav-pills nav-stacked">{"".join(items)}</ul>'


def _list_item(name: str, href: str, end: str, *, icon: str, size: str, more: str = "") -> str:
    named = f'data-name="{escape(name)}"'
    return (
        f'\n<li {named} data-href="{href}"><a href="{href}{end}" class="clearfix" {named}><div class="row">\n'
        f'  <span class="file-name col-md-7 col-sm-6 col-xs-9"><i class="fa {icon} fa-fw"></i> {escape(name)} </span>\n'
        f'  <span class="file-size col-md-2 col-sm-2 col-xs-3 text-right"> {size} </span>\n'
        '  <span class="file-modified col-md-3 col-sm-4 hidden-xs text-right"> 2018-07-16 13:03:26 </span>\n'
        f"</div></a>{more}</li>"
    )


def _lister_folders(folder: Folder) -> list[tuple[str, str, str]]:
    """The name of each folder a page lists, the way up first, its link, and what the link has at its end."""
    up = [("..", _dir_href(folder.path[:-1]), "")] if folder.path else []
    below = [(path[-1], _dir_href(path), "" if number else VIGNETTE) for number, path in enumerate(folder.folders)]
    return up + below


def _elsewhere(path: Path) -> list[tuple[str, str]]:
    """What the foot of a page leads to, in the class of an entry: upward, and to what the reader did not ask for."""
    if not path:
        return [("PapaCambridge", HOME)]
    level = "IGCSE" if path[1:2] != ("IGCSE",) else "AS and A Level"
    aside = (CIE, level) if len(path) > 1 else ("AQA" if path[0] == CIE else CIE,)
    return [("All papers", _dir_href(path[:1]) if len(path) > 1 else f"{SITE}/"), (aside[-1], _dir_href(aside))]


def _dir_href(path: Path) -> str:
    return f"?dir={quote('/'.join(path))}" if path else f"{SITE}/"


# --- era B ---


def listing(folder: Folder) -> str:
    """A page of era B. No link has a leading slash: all are meant from the root, whether the page says so or not."""
    up = [_folder_entry("..", _slug_href(folder.path[:-1]))] if len(folder.path) > 1 else []
    entries = []
    for number, path in enumerate(folder.folders + folder.aside):
        child = papers.folder("B", path)
        assert child
        entries.append(_folder_entry(child.label, _slug_href(path) + child.link + ("" if number else VIGNETTE)))
    entries += [_file_entry(paper) for paper in folder.papers]
    if entries:
        entries = [*up, *_AD_ENTRIES, *entries]
    page = _slug_href(folder.path)
    above = [papers.folder("B", folder.path[: end + 1]) for end in range(len(folder.path))]
    trail = " / ".join(f'<a href="{_slug_href(f.path)}">{escape(f.label)}</a>' for f in above if f)
    return _document(
        folder.label,
        f'<div class="kt-header"><ul class="kt-right-submenu__nav">{_MENU}</ul>'
        f'<a href="{page}?theme=lightTheme">Light</a><a href="{page}?theme=darkTheme">Dark</a></div>'
        f'<div class="kt-subheader"><a href="{SITE}/">Home</a> / {trail}</div>'
        f'<div id="datafile"><div class="files-list-main">\n{"".join(entries)}</div></div>'
        f'<div class="kt-footer"><a href="{HOME}">PapaCambridge</a><a href="{page}{VIGNETTE}">Close</a>{_SOCIAL}</div>',
        BASE if has_base(folder) else "",
    )


def unknown_slug() -> str:
    """What era B gives for a slug it does not know: a page of its own, but without a listing."""
    return _document("Past Papers", f'<ul class="kt-right-submenu__nav">{_MENU}</ul><p>Nothing here.</p>')


def has_base(folder: Folder) -> bool:
    """Whether a page says what its links are relative to: about half of each kind do."""
    return len(folder.path[-1]) % 2 == 0


def file_label(name: str) -> str:
    """What era B calls a file: ``Question Paper 11``."""
    stem = name.rpartition(".")[0]
    parts = stem.lower().split("_")
    if len(parts) < 3 or parts[2] not in _TYPES:
        return stem.replace("_", " ")
    return " ".join([_TYPES[parts[2]], *parts[3:]])


def _folder_entry(label: str, href: str) -> str:
    return f'<div><div class="kt-widget4__item item-folder-type">{_title(label, href)}</div></div>\n'


def _file_entry(paper: Paper) -> str:
    direct = paper.manner == "direct"
    title = _title(file_label(paper.name), escape(paper.relative_url if direct else _relative(paper.view_url)))
    kind = " item-pdf-type" if extension(paper.name) == "pdf" else ""
    component = re.search(r" 0?(\d)\d?$", file_label(paper.name))
    color = "danger" if "_ms_" in paper.name else "success"
    badges = f'<span class="badge badge-{color}">Paper {component[1]}</span>' if component else ""
    if not direct:
        badges += (
            '<span class="kt-widget2__number kt-font-danger cursor"><div>'
            f'<a class="badge badge-info" download href="{escape(_download_href(paper))}">Download</a></div></span>'
        )
    return f'<div><div class="kt-widget4__item{kind}">{title}{badges}</div></div>\n'


def _title(label: str, href: str) -> str:
    return f'<a class="{_TITLE}" href="{href}"><span class="wraptext"> {escape(label)} </span></a>'


def _download_href(paper: Paper) -> str:
    """The address inside is as the site writes it: spaces as they are, unless all of it is quoted."""
    address = paper.url.replace("%20", " ")
    if paper.manner == "encoded":
        address = quote(address, safe="")
    return f"download_file.php?files={address}{'&type=pdf' if paper.manner == 'more' else ''}"


def _slug_href(path: Path) -> str:
    return "/".join(["papers", path[0], *path[1:][-1:]])


def _relative(url: str) -> str:
    return url.removeprefix(f"{SITE}/")


_MENU = "".join(
    f'<li class="kt-menu__item"><a class="kt-menu__link" href="{href}">'
    f'<span class="kt-menu__link-text">{text}</span></a></li>'
    for text, href in (
        ("IGCSE", "papers/caie/igcse"),
        ("O Level", "papers/caie/o-level"),
        ("AS and A Level", "papers/caie/as-and-a-level"),
        ("AQA", "papers/aqa"),
    )
)
_AD_ENTRIES = [
    '<div class="adsbygoogle"><ins class="adsbygoogle"></ins></div>\n',
    '<div><div class="kt-widget4__item item-folder-type adsbygoogle"><span class="wraptext">Ad</span></div></div>\n',
    f'<div><div class="kt-widget4__item item-folder-type adsbygoogle">{_title("Sponsored", _AD)}</div></div>\n',
    '<div><div class="kt-widget4__item item-pdf-type"><a class="badge badge-info" download>Download</a></div></div>\n',
]


def _document(title: str, body: str, head: str = "") -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{head}<title>{escape(title)}</title></head>'
        f"<body>{body}</body></html>\n"
    )
