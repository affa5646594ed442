"""Addresses of pastpapers.papacambridge.com, sessions, and where in the site's tree a page stands.

The facts behind it, read from public scrapers of the site and the addresses they keep:

* Era A names a folder by its path: ``/?dir=<board>/<level>/<subject>/<session>``, percent-encoded as PHP's
  ``rawurlencode`` does. Subjects are ``Biology (9700)`` or ``Business (for first examination in 2016) - 9609``,
  sessions ``2019-Oct-Nov`` or ``2017 Nov``.
* Era B has one flat slug: ``/papers/<board>/<level>-<subject>-<code>-<session>``. Slugs are irregular
  (``business9609-2024-oct-nov``, ``mathematics-9709-mathematics-97092024-oct-nov``, ``9709-may-june-2020``), so they
  can be read, but not derived.
* Four digits may be a code or a year. Codes that look like years (2010) are those of Cambridge O Levels only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from imagecrawl.pages.papacambridge_names import EXTENSIONS, extension_of
from imagecrawl.pages.values import encodable

HOST = "pastpapers.papacambridge.com"
"""The only host of listing pages and files."""

ROOT = f"https://{HOST}/"

_YEAR = r"(?:19[89]|20[0-4])[0-9]"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![^\W_])"
)
_MONTHS = rf"{_MONTH}(?:-{_MONTH})?+"
_SESSION = re.compile(
    rf"(?<![^\W_])(?:(?P<year>{_YEAR})-(?P<months>{_MONTHS})(?!-{_YEAR}(?![0-9]))"
    rf"|(?P<months_first>{_MONTHS})-(?P<year_last>{_YEAR}))(?![^\W_])"
)
"""A session in a slug. A year on either side of the months is taken for a code and a session."""
_LETTERS = {"feb": "m", "mar": "m", "may": "s", "jun": "s", "oct": "w", "nov": "w"}

_LEVEL = re.compile(
    r"(?:cambridge-(?:[a-z]+-){0,2}?)?"
    r"(?:as-and-a-level|gce-international-o-level|o-level|a-level|as-level|igcse|gcse|pre-u)(?=-|\Z)"
)
_SPECIAL = re.compile(r"(?:topical|solved)-past-papers(?=-.)")
_REGIONS = ("us", "uk")
_BEFORE_YEARS = {
    "after", "before", "exam", "examination", "examinations", "exams", "for", "from", "in", "of", "paper", "papers",
    "since", "specimen", "syllabus", "to", "until", "year",
}  # fmt: skip
_FILE_PAGES = {"viewer", "view.php", "download_file.php", "directories"}
_ADDITION = re.compile(r"\([^()]*\)")
_FIRST_EXAMINATION = re.compile(r"\bfor (?:first )?examinations? (?:in|from) [0-9]{4}\b")


@dataclass(frozen=True, slots=True)
class Session:
    """One series of examinations."""

    year: int
    letter: str | None
    """``m`` February/March, ``s`` May/June, ``w`` October/November, ``y`` specimens; ``None`` for other months."""
    name: str
    """As the site's labels have it, with dashes: ``2019-Oct-Nov``, ``2018-March``, ``2017-Nov``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the site's tree a listing page stands; names are those of folders in era A, parts of slugs in era B."""

    board: str
    level: str | None = None
    subject: str | None = None
    code: str | None = None
    """The four digits of the subject."""
    folders: tuple[str, ...] = ()
    """Every folder below the subject, a session by its normal name."""
    session: Session | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The known names from the board down: the folder on disk."""
        return (*(name for name in (self.board, self.level, self.subject) if name), *self.folders)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that a listing page leads to; ``url`` is canonical."""

    label: str
    url: str
    place: Place


@dataclass(frozen=True, slots=True)
class Address:
    """A listing page: the decoded folders of its path in era A; the board and, below it, one slug in era B."""

    segments: tuple[str, ...]
    is_lister: bool
    """True for era A."""

    @property
    def url(self) -> str:
        encoded = "/".join(quote(segment, safe="") for segment in self.segments)
        return f"{ROOT}?dir={encoded}" if self.is_lister else f"{ROOT}papers/{encoded}"


def parse_session(text: str) -> Session | None:
    """The session that a label or the end of a slug names, else ``None``: ``2017 Nov``, ``may-june-2020``."""
    found = _SESSION.fullmatch(slug_of(text))
    if not found:
        return None
    months = (found["months"] or found["months_first"]).split("-")
    letters = {_LETTERS[month[:3]] for month in months if month[:3] in _LETTERS}
    year = found["year"] or found["year_last"]
    name = "-".join([year, *(month.capitalize() for month in months)])
    return Session(int(year), letters.pop() if len(letters) == 1 else None, name)


def parse_place(url: str) -> Place:
    """Where a listing page of either era stands, by its address alone.

    Raises ValueError, in one sentence, for an address that is not one of a listing page of the site.
    """
    return place_of(read_address(url))


def canonical_url(url: str) -> str:
    """The one way to write the address of a listing page; a page differs from another where these differ.

    https, no fragment, no parameter but ``dir``, no trailing slash. Era A: encoded as the site's own links are,
    whatever came in; as in any PHP query, ``+`` is a space and ``%2B`` a plus. Era B: lower case. Raises ValueError as
    :func:`parse_place` does.
    """
    return read_address(url).url


def entry_url(board: str) -> str:
    """The page of a board, the one address that can be built: ``caie``, ``CIE``, ``Cambridge`` -> ``.../papers/caie``.

    Raises ValueError for what cannot be a board.
    """
    slug = "-".join(board.lower().split())
    if re.match(r"cie\b|cambridge\b", slug):
        slug = "caie"
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", slug):
        raise ValueError(f"board is a short name such as caie; not {board!r}")
    return f"{ROOT}papers/{slug}"


def choose(folders: Sequence[Folder], wanted: str) -> list[Folder]:
    """The folders that a person means by a level or a subject: ``9609``, ``business``, ``AS & A Level``.

    A code in ``wanted`` decides. Else the whole name does, without its code and its additions in parentheses; and only
    when no whole name does, some words of it, in sequence. Case, punctuation and the word "and" do not count.
    """
    codes = set(re.findall(r"(?<![0-9])[0-9]{4}(?![0-9])", wanted))
    by_code = [folder for folder in folders if folder.place.code in codes]
    if by_code or wanted.strip() in codes:
        return by_code
    forms = [form for form in (_folded(wanted), _folded(_ADDITION.sub(" ", wanted))) if form]
    for form in forms:
        exact = [folder for folder in folders if form in _names(folder)]
        if exact:
            return exact
    return [folder for folder in folders if forms and any(f" {forms[0]} " in f" {name} " for name in _names(folder))]


# Text


def folded(text: str | None) -> str:
    """The text with its white space folded and stripped."""
    return " ".join(encodable(text or "").split())


def slug_of(text: str) -> str:
    """A label as the site makes slugs: lower case, hyphens for all that is neither letter nor digit."""
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")


def query_value(query: str, name: str) -> str | None:
    """The first value of a query parameter, still encoded.

    A bare ``&`` that starts no other parameter belongs to the value: the site does not always encode file names.
    """
    for piece in re.split(r"&(?=[A-Za-z_]\w*=)", query):
        key, equals, value = piece.partition("=")
        if equals and key == name:
            return value
    return None


# Addresses


def read_address(url: str) -> Address:
    """The parts of the address of a listing page. Raises ValueError as :func:`parse_place` does."""
    text = encodable(url).strip()
    if text.lower().removeprefix("//").startswith(HOST):
        text = f"https://{text.removeprefix('//')}"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(f"{text!r} is no web address") from None
    if parts.scheme not in {"http", "https"} or parts.hostname != HOST:
        raise ValueError(f"{text!r} is no address of {HOST}")
    path = [segment.strip() for segment in unquote(parts.path).split("/") if segment.strip()]
    if not path or path == ["index.php"]:
        return _lister_address(text, query_value(parts.query, "dir") or "")
    if path[0].lower() in _FILE_PAGES or extension_of(path[-1]) in EXTENSIONS:
        raise ValueError(f"{text!r} leads to a file: give the page that lists it")
    if path == ["papers"]:
        raise ValueError(_no_board(text))
    if path[0].lower() != "papers" or len(path) > 3 or not all(map(slug_of, path)):
        raise ValueError(f"{text!r} is no page that lists papers")
    return Address(tuple(segment.lower() for segment in path[1:]), is_lister=False)


def _lister_address(text: str, path: str) -> Address:
    segments = tuple(segment for segment in unquote_plus(path).split("/") if segment.strip() not in {"", "."})
    if not segments:
        raise ValueError(_no_board(text))
    if ".." in segments:
        raise ValueError(f"{text!r} is no page that lists papers")
    return Address(segments, is_lister=True)


def _no_board(text: str) -> str:
    return f"{text!r} names no board: give a page such as {ROOT}papers/caie"


# Places


def place_of(address: Address) -> Place:
    """Where a listing page stands, by its address alone."""
    if address.is_lister:
        return _place_of_path(address.segments)
    return _place_of_slug(*address.segments) if len(address.segments) == 2 else Place(board=address.segments[0])


def _place_of_path(segments: Sequence[str]) -> Place:
    board, *below = (folded(segment) for segment in segments)
    level = below[0] if below else None
    subject = below[1] if len(below) > 1 else None
    folders, session = below[2:], None
    for number, folder in enumerate(folders):
        session = parse_session(folder)
        if session:
            folders[number] = session.name
            break
    words = _spread(slug_of(subject or "")).split("-")
    at = _find_code(words, slug_of(level or ""))
    code = None if at is None else words[at]
    return Place(board=board, level=level, subject=subject, code=code, folders=tuple(folders), session=session)


def _place_of_slug(board: str, slug: str, level: str | None = None) -> Place:
    """Reads ``<level>-<name>-<code>-<folders>``; ``level`` is that of the page which has the link, if known."""
    head, session, tail = _split_session(slug)
    found = _LEVEL.match(head)
    if found or (level and f"{head}-".startswith(f"{level}-")):
        level = found[0] if found else level
        head = head[len(level or "") :].strip("-")
    words = head.split("-") if head else []
    at = _find_code(words, level)
    if at is None:
        if not (level or session):
            return Place(board=board, level=slug)
        folders = _folder_names("", session, tail)
        return Place(board=board, level=level, subject=head or None, folders=folders, session=session)
    name, code, rest = words[:at], words[at], words[at + 1 :]
    while rest[:1] == [code] or (name and rest[: at + 1] == [*name, code]):
        rest = rest[1 if rest[0] == code else at + 1 :]
    if rest and rest[0] in _REGIONS:
        name.append(rest.pop(0))  # igcse-mathematics-us-0444, whose label is 'Mathematics - 0444 - US'
    folders = _folder_names("-".join(rest), session, tail)
    special = _SPECIAL.match(folders[0]) if folders else None
    if special:
        folders = (special[0], folders[0][special.end() + 1 :], *folders[1:])  # as a crawl from above would name them
    subject = "-".join([*name, code])
    return Place(board=board, level=level, subject=subject, code=code, folders=folders, session=session)


def place_below(place: Place, *, slug: str, parent: str, label: str) -> Place:
    """The place of a folder of an era B page; ``parent`` is the slug of that page, empty for a board.

    A slug is read alone as far as it can be, so that the folder has the same place when a crawl starts at it.
    """
    alone = _place_of_slug(place.board, slug, place.level)
    said = parse_session(label) if place.session is None else None
    tells_more = alone.session or (alone.folders and not said)
    if place.code is None and (alone.code or not place.subject):
        child = alone
    elif place.code and alone.code == place.code and not place.folders and tells_more:
        child = replace(alone, level=place.level, subject=place.subject)
    else:
        return _place_by_name(place, slug=slug, parent=parent, label=label, said=said)
    if said and child.session:
        names = tuple(said.name if name == child.session.name else name for name in child.folders)
        return replace(child, folders=names, session=said)
    return child


def _place_by_name(place: Place, *, slug: str, parent: str, label: str, said: Session | None) -> Place:
    """A folder whose slug alone says little: named by what it adds to the slug of its page, or by its label."""
    added = slug[len(parent) + 1 :] if parent and slug.startswith(f"{parent}-") else ""
    head, session, tail = _split_session(added) if place.session is None else (added, None, "")
    if said and not session:
        head, tail = "", ""
    names = _folder_names(head, said or session, tail) or (slug_of(label) or slug,)
    return replace(place, folders=(*place.folders, *names), session=place.session or said or session)


def leads_elsewhere(place: Place, *, slug: str, parent: str) -> bool:
    """True for a link of an era B page that does not lead below it: to the page itself, up, or to another subject."""
    if slug == parent or parent.startswith(f"{slug}-"):
        return True
    if slug.startswith(f"{parent}-"):
        return False
    alone = _place_of_slug(place.board, slug)
    return _leads_to_a_level(place, alone, slug) or _leads_to_a_subject(place, alone, slug)


def _leads_to_a_level(place: Place, alone: Place, slug: str) -> bool:
    """True for a link to a level, or to something of another one."""
    if not place.level or not (_LEVEL.match(slug) or slug == place.level):
        return False
    return slug == alone.level or not _same_level(alone.level, place.level)


def _leads_to_a_subject(place: Place, alone: Place, slug: str) -> bool:
    """True for a link to another subject, or to another part of the same one."""
    if place.session and (alone.session and alone.session.name) != place.session.name:
        return True
    if not place.code:
        return False
    numbers = re.findall(r"(?<![0-9])[0-9]{4}(?![0-9])", _SESSION.sub("", _spread(slug)))
    if place.code not in numbers:
        other_name = bool(_LEVEL.match(slug)) and not alone.code and alone.subject != place.subject
        return other_name or any(not re.fullmatch(_YEAR, number) for number in numbers)
    return alone.subject == place.subject and alone.folders == place.folders[: len(alone.folders)]


def _same_level(one: str | None, other: str | None) -> bool:
    """Whether the slugs mean one level: they had longer names once (``cambridge-advanced-as-and-a-level``)."""
    return bool(one and other and (one.endswith(other) or other.endswith(one)))


def _spread(slug: str) -> str:
    """Puts hyphens where digits run into words or years: ``business9609``, ``97092024-oct-nov``."""
    slug = re.sub(rf"(?<=[0-9]{{4}})(?={_YEAR}-?{_MONTH})", "-", slug)
    return re.sub(r"(?<=[^\W0-9_])(?=[0-9]{4}(?![0-9]))|(?<=(?<![0-9])[0-9]{4})(?=[^\W0-9_])", "-", slug)


def _split_session(slug: str) -> tuple[str, Session | None, str]:
    """What stands before the session of a slug, the session, and what stands after it."""
    slug = _spread(slug)
    found = _SESSION.search(slug)
    if not found:
        return slug.strip("-"), None, ""
    return slug[: found.start()].strip("-"), parse_session(found[0]), slug[found.end() :].strip("-")


def _folder_names(head: str, session: Session | None, tail: str) -> tuple[str, ...]:
    return tuple(name for name in (head, session.name if session else "", tail) if name)


def _find_code(words: Sequence[str], level: str | None) -> int | None:
    """Where the code is among the words of a subject: the first four digits that are no year."""
    numbers = [at for at, word in enumerate(words) if re.fullmatch("[0-9]{4}", word)]
    for at in numbers:
        if not re.fullmatch(_YEAR, words[at]):
            return at
    if not (level or "").endswith("o-level"):
        return None
    return next((at for at in reversed(numbers) if at and words[at - 1] not in _BEFORE_YEARS), None)


# Names that a person gives


def _names(folder: Folder) -> set[str]:
    """The folded names that mean the folder: by its label and by its place, with and without additions."""
    names = set()
    for text in (folder.label, folder.place.path[-1]):
        for form in (text, _ADDITION.sub(" ", text)):
            words = " ".join(word for word in _folded(form).split() if word != folder.place.code)
            names |= {words, " ".join(_FIRST_EXAMINATION.sub(" ", words).split())}
    return names - {""}


def _folded(text: str) -> str:
    """The words of a name in lower case without accents and punctuation; "and" and "&" are the same as nothing."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(word for word in slug_of(plain.casefold()).split("-") if word != "and")
