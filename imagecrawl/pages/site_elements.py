"""The elements of a page, read once from its beginning to its end: the pictures that they show, and where they lead.

The page is read as a stream of tags: no tree is built. A tree (libxml2's, as in parsel) is cut off below 2,048 levels,
and takes a minute for one tag with 40,000 attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # there are no types of lxml here

from imagecrawl.pages.site_addresses import Addresses, is_stand_in
from imagecrawl.pages.site_attributes import (
    Attributes,
    Sources,
    link_targets,
    read_data,
    read_img,
    read_single,
    read_style,
)
from imagecrawl.pages.site_metadata import Metadata
from imagecrawl.pages.site_values import MAX_TEXT, MAX_URLS, Find, Frame, Source, bounded

_WORK = 500_000_000
"""Bound of open elements times end tags: the parser looks for the start of each end tag among all that are open."""
_CHUNK = 8_192
"""Bytes that are parsed before it is known how many elements are open then."""
_MOST_TEXTS = 8
"""Headings, captions and links that lie in each other."""

_HEADINGS = {f"h{level}" for level in range(1, 7)}
_SECTIONS = {"section", "article", "main"}
_ASIDES = {"aside", "nav", "footer"}
_IMAGES = {"img", "amp-img", "amp-anim"}
_LINKS = {"a", "area"}
_BLOCKS = {
    "br",
    "p",
    "div",
    "li",
    "td",
    "th",
    "tr",
    "dt",
    "dd",
    "section",
    "article",
    "figure",
    "figcaption",
    "img",
    "hr",
}
_NO_DATA = {"script", "link", "meta", "source", "video", "audio", "iframe", "html", "body", "image"}
_FRAMES = {"wp-caption", "gallery-item", "gallerybox", "thumbinner"}
_CAPTIONS = {"wp-caption-text", "gallery-caption", "gallerytext", "thumbcaption"}
"""Classes of WordPress and MediaWiki."""


@dataclass(slots=True, eq=False)
class _Text:
    """The text of an element that is open."""

    parts: list[str] = field(default_factory=list)
    room: int = 4 * MAX_TEXT

    def add(self, data: str) -> None:
        if self.room > 0:
            self.parts.append(data[: self.room])
            self.room -= len(data)

    @property
    def folded(self) -> str | None:
        return bounded("".join(self.parts))


@dataclass(slots=True)
class _Anchor:
    """A link that is open."""

    attributes: Attributes
    targets: list[str]
    """The pictures that it leads to, best first."""
    page: str | None
    """The page that it leads to, if no picture."""
    has_image: bool = False
    alt: str | None = None


@dataclass(slots=True, kw_only=True)
class Document:
    """What the elements of a page show."""

    finds: list[Find]
    links: list[str]
    title: str | None
    is_whole: bool


def read_base(text: str) -> str | None:
    """The address in the first ``<base href>``."""
    reader = _BaseReader()
    if "<base" in text.lower():
        _feed(text, reader)
    return reader.href


def read_document(text: str, addresses: Addresses) -> Document:
    """The links of a page and its pictures: those in its body in their order, then those of style sheets and its head.

    What a person does not see is left out: comments, ``template`` elements (but for those that become the shadow of
    their parent), scripts other than JSON-LD. What is hidden until a click is not: galleries hide all pictures but one.
    """
    reader = _Reader(addresses)
    is_whole = _feed(text, reader)
    return Document(
        finds=reader.finds(),
        links=[*reader.links],
        title=reader.title or reader.metadata.title,
        is_whole=is_whole,
    )


class _Target:
    """What the parser calls for each tag and each piece of text, in their order."""

    def __init__(self) -> None:
        self.depth = 0
        """How many elements are open."""

    def start(self, _tag: str, _attributes: Attributes) -> None:
        self.depth += 1

    def end(self, _tag: str) -> None:
        self.depth -= 1

    def close(self) -> None:
        """Ends the document: the parser wants to call it."""


def _feed(text: str, target: _Target) -> bool:
    """Parses a text; false when it is nested too deep to be parsed in one piece.

    Then all that is open is closed, and a new parser begins at the next tag.
    """
    body = text.replace("\0", "").encode("utf-8", "replace")
    most = _WORK // (body.count(b"</") + 1)
    start = parsers = 0
    while start < len(body):
        parser = etree.HTMLParser(target=target, encoding="utf-8", huge_tree=True)
        parsers += 1
        deepest = target.depth + most
        with suppress(etree.XMLSyntaxError):  # there is not one element
            while start < len(body) and target.depth <= deepest:
                tag = body.rfind(b"<", start + 1, start + _CHUNK)
                end = tag if tag > 0 else start + _CHUNK
                chunk, start = body[start:end], end
                parser.feed(chunk)
            parser.close()
    return parsers <= 1


class _BaseReader(_Target):
    """Wants to know one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.href: str | None = None

    def start(self, tag: str, attributes: Attributes) -> None:
        super().start(tag, attributes)
        if tag == "base" and self.href is None:
            self.href = attributes.get("href")


class _Reader(_Target):
    """Wants to know all that a page shows.

    ``_closers`` holds what is to be done at the ends of open elements, with the number of elements around each.
    """

    def __init__(self, addresses: Addresses) -> None:
        super().__init__()
        self.metadata = Metadata(addresses)
        self.title: str | None = None
        self.links: dict[str, None] = {}
        """Each once, in their order."""
        self._addresses = addresses
        self._closers: list[tuple[int, Callable[[], None]]] = []
        self._finds: list[Find] = []
        self._sheets: list[Find] = []
        self._frames: list[Frame] = []
        self._texts: list[_Text] = []
        self._raw: list[str] | None = None
        self._heading: str | None = None
        self._frame: Frame | None = None
        self._anchor: _Anchor | None = None
        self._sources: Sources | None = None
        self._is_hidden = False
        self._is_drawing = False
        self._noscript: int | None = None
        """In a ``noscript``: how many pictures there were before it."""
        self._is_fragment = False
        self._sibling: tuple[int, Find] | None = None
        """The picture of the element that has just ended, and how deep it lay."""
        self._before: Find | None = None
        """The picture of the element right before the one that is open, for the copy that stands beside it."""
        self._starts: dict[str, Callable[[Attributes], None]] = {
            "a": self._start_a,
            "area": self._start_a,
            "picture": self._start_picture,
            "source": self._start_source,
            "noscript": self._start_noscript,
            "video": self._start_video,
            "svg": self._start_svg,
            "image": self._start_image,
            "input": self._start_input,
            "object": self._start_object,
            "embed": self._start_object,
            "title": self._start_title,
            "style": self._start_style,
            "script": self._start_script,
            "template": self._start_template,
            "meta": self.metadata.meta,
            "link": self.metadata.link,
            "figure": self._start_figure,
            "figcaption": self._start_caption,
        }
        self._starts |= dict.fromkeys(_IMAGES, self._start_img)
        self._starts |= dict.fromkeys(_HEADINGS, self._start_heading)
        self._starts |= dict.fromkeys(_SECTIONS, self._start_section)
        self._starts |= dict.fromkeys(_ASIDES, self._start_aside)

    def finds(self) -> list[Find]:
        """All pictures, with the captions of their figures: those come after the picture, or around several."""
        self._close_all()
        for frame in self._frames:  # the outer before the inner
            frame.caption = frame.caption or (frame.parent.caption if frame.parent else None)
        for find in self._finds:
            find.caption = (find.frame and find.frame.caption) or find.caption
        return [*self._finds, *self._sheets, *self.metadata.finds()]

    # What the parser calls

    def start(self, tag: str, attributes: Attributes) -> None:
        sibling, self._sibling = self._sibling, None
        self._before = sibling[1] if sibling and sibling[0] == self.depth else None
        super().start(tag, attributes)
        if self._is_hidden:
            return
        if self._texts and tag in _BLOCKS:
            self._add_text(" ")
        if start := self._starts.get(tag):
            start(attributes)
        if attributes and tag not in _IMAGES:
            self._start_any(tag, attributes)

    def end(self, tag: str) -> None:
        while self._closers and self._closers[-1][0] == self.depth:
            self._closers.pop()[1]()
        super().end(tag)
        if self._texts and tag in _BLOCKS:
            self._add_text(" ")

    def data(self, data: str) -> None:
        if self._raw is not None:
            self._raw.append(data)
        elif self._texts and not self._is_hidden:
            self._add_text(data)

    # Helpers

    def _at_end(self, closer: Callable[[], None]) -> None:
        self._closers.append((self.depth, closer))

    def _close_all(self) -> None:
        """Does what is left to do for the elements that are open where the reading ended."""
        while self._closers:
            self._closers.pop()[1]()

    def _until_end(self, name: str, value: Any) -> None:
        """Sets an attribute of the reader for as long as the element is open."""
        self._at_end(partial(setattr, self, name, getattr(self, name)))
        setattr(self, name, value)

    def _add_text(self, data: str) -> None:
        for text in self._texts:
            text.add(data)

    def _read_text(self, then: Callable[[str | None], None]) -> None:
        """Collects the text of the element, for ``then`` at its end."""
        if len(self._texts) >= _MOST_TEXTS:
            self._at_end(partial(then, None))
            return
        text = _Text()
        self._texts.append(text)

        def close() -> None:
            self._texts.remove(text)
            then(text.folded)

        self._at_end(close)

    def _read_raw(self, then: Callable[[str], None]) -> None:
        """Collects the text of an element whose text is no text of the page."""
        parts: list[str] = []
        self._at_end(lambda: then("".join(parts)))
        self._until_end("_raw", parts)

    def _add(self, finds: Iterable[Find]) -> Find | None:
        """Adds pictures at this place; the first of them, unless it is a copy of the one beside it."""
        first = None
        for find in finds:
            find.heading, find.frame = self._heading, self._frame
            anchor = self._anchor
            if anchor:
                anchor.has_image = True
                find.title = find.title or bounded(anchor.attributes.get("title"))
                find.caption = find.caption or _label(anchor.attributes)
                find.leads_to = anchor.page
                if anchor.targets and not find.is_speck:
                    _lead_on(find, anchor)
            self._finds.append(find)
            first = first or find
        return first

    # Elements

    def _start_any(self, tag: str, attributes: Attributes) -> None:
        has_data = False
        for name, value in attributes.items():
            if not value:
                continue
            if name == "class":
                self._start_class(value)
            elif name == "style":
                if "(" in value:
                    self._add_style(value, attributes, has_data=any(key[:5] == "data-" for key in attributes))
            elif name == "background":
                self._add(read_single(value, Source.CSS, attributes, self._addresses))
            elif name[:5] == "data-" and ("/" in value or "." in value):
                has_data = True
        if has_data and tag not in _NO_DATA:
            found = self._add(read_data(attributes, self._addresses, is_link=tag in _LINKS))
            if found:
                self._at_end(partial(self._beside, found))

    def _add_style(self, value: str, attributes: Attributes, *, has_data: bool) -> None:
        found = read_style(value, attributes, self._addresses)
        self._add(find for find in found if not (has_data and is_stand_in(find.urls[0])))

    def _start_class(self, value: str) -> None:
        if not ("caption" in value or "gallery" in value or "thumb" in value):
            return
        classes = {*value[:1_000].split()}
        if classes & _FRAMES:
            self._start_figure({})
        elif classes & _CAPTIONS:
            self._start_caption({})

    def _start_img(self, attributes: Attributes) -> None:
        before = self._before
        sources = self._sources
        if sources:
            sources.is_used = True
        if self._anchor:
            self._anchor.has_image = True
            self._anchor.alt = self._anchor.alt or attributes.get("alt")
        finds = [*read_img(attributes, self._addresses, sources)]
        if finds and self._noscript is not None:
            finds[0].source = Source.NOSCRIPT
        if finds and before and self._joins(before, finds[0]):
            self._at_end(partial(self._beside, before))
            finds = finds[1:]
        style = attributes.get("style") or ""
        found = self._add(finds)
        if "(" in style:
            self._add_style(style, attributes, has_data=bool(found))
        if found and self._noscript is None:
            self._at_end(partial(self._beside, found))

    def _joins(self, before: Find, copy: Find) -> bool:
        """Makes the copy for those without scripts and its neighbour one picture, if that is what they are."""
        if before.source is Source.NOSCRIPT and self._noscript is None and copy.is_lazy and not copy.is_speck:
            before.urls = [*dict.fromkeys([*copy.urls, *before.urls])][:MAX_URLS]
            before.source, before.is_lazy = copy.source, False
            before.alt, before.title = before.alt or copy.alt, before.title or copy.title
            before.width, before.height = copy.width, copy.height
            return True
        return False

    def _beside(self, find: Find) -> None:
        self._sibling = (self.depth - 1, find)

    def _start_picture(self, _attributes: Attributes) -> None:
        sources = Sources()
        before = len(self._finds)

        def close() -> None:
            if not sources.is_used:
                sources.is_used = True
                self._add(read_img({}, self._addresses, sources))
            if len(self._finds) > before:
                self._beside(self._finds[before])

        self._at_end(close)
        self._until_end("_sources", sources)

    def _start_source(self, attributes: Attributes) -> None:
        if self._sources:
            self._sources.add(attributes, self._addresses)

    def _start_noscript(self, _attributes: Attributes) -> None:
        if self._noscript is not None:
            return
        first = len(self._finds)
        lazy = self._before if self._before and self._before.is_lazy else None
        raw: list[str] = []

        def close() -> None:
            markup = "".join(raw)
            if "<" in markup:  # a page that a browser wrote has the copy as text
                self._read_fragment(markup)
            found = self._finds[first:]
            if len(found) == 1 and not found[0].is_speck:
                if lazy:
                    lazy.urls = [*dict.fromkeys([*lazy.urls, *found[0].urls])][:MAX_URLS]
                    lazy.alt, lazy.title = lazy.alt or found[0].alt, lazy.title or found[0].title
                    self._finds.pop()
                else:
                    self._beside(found[0])

        self._until_end("_noscript", first)
        self._at_end(close)
        self._until_end("_raw", raw)

    def _read_fragment(self, markup: str) -> None:
        raw, self._raw = self._raw, None
        depth, self.depth = self.depth, self.depth + 1
        closers, self._closers = self._closers, []
        _feed(markup, self)
        self._close_all()
        self._raw, self.depth, self._closers = raw, depth, closers

    def _start_video(self, attributes: Attributes) -> None:
        poster = attributes.get("poster") or attributes.get("data-poster")
        self._add(read_single(poster, Source.VIDEO, attributes, self._addresses))

    def _start_svg(self, _attributes: Attributes) -> None:
        self._until_end("_is_drawing", True)

    def _start_image(self, attributes: Attributes) -> None:
        """A picture in a drawing; outside of one, browsers take it for an ``img``."""
        if self._is_drawing:
            address = attributes.get("href") or attributes.get("xlink:href")
            self._add(read_single(address, Source.SVG, attributes, self._addresses))
        else:
            self._start_img(attributes)

    def _start_input(self, attributes: Attributes) -> None:
        if (attributes.get("type") or "").strip().lower() == "image":
            self._add(read_single(attributes.get("src"), Source.INPUT, attributes, self._addresses))

    def _start_object(self, attributes: Attributes) -> None:
        if (attributes.get("type") or "").strip().lower().startswith("image/"):
            address = attributes.get("data") or attributes.get("src")
            self._add(read_single(address, Source.OBJECT, attributes, self._addresses))

    def _start_title(self, _attributes: Attributes) -> None:
        if self.title is None and not self._is_drawing:
            self._read_raw(self._set_title)

    def _set_title(self, text: str) -> None:
        self.title = self.title or bounded(text)

    def _start_style(self, _attributes: Attributes) -> None:
        self._read_raw(lambda text: self._sheets.extend(read_style(text, {}, self._addresses)))

    def _start_script(self, attributes: Attributes) -> None:
        kind = (attributes.get("type") or "").partition(";")[0].strip().lower()
        self._read_raw(self.metadata.json_ld if kind == "application/ld+json" else _forget)

    def _start_template(self, attributes: Attributes) -> None:
        if not (attributes.get("shadowrootmode") or attributes.get("shadowroot")):
            self._until_end("_is_hidden", True)

    def _start_heading(self, _attributes: Attributes) -> None:
        self._read_text(self._set_heading)

    def _set_heading(self, text: str | None) -> None:
        self._heading = text or self._heading

    def _start_section(self, _attributes: Attributes) -> None:
        self._until_end("_heading", self._heading)

    def _start_aside(self, _attributes: Attributes) -> None:
        """What stands beside the page is not about its headings."""
        self._until_end("_heading", None)

    def _start_figure(self, _attributes: Attributes) -> None:
        frame = Frame(parent=self._frame)
        self._frames.append(frame)
        self._until_end("_frame", frame)

    def _start_caption(self, _attributes: Attributes) -> None:
        if self._frame:
            self._read_text(partial(_set_caption, self._frame))

    def _start_a(self, attributes: Attributes) -> None:
        if link := self._addresses.link(attributes.get("href")):
            self.links[link] = None
        targets = link_targets(attributes, self._addresses)
        anchor = _Anchor(attributes, targets, page=None if targets else link)
        self._until_end("_anchor", anchor)
        if anchor.targets:
            self._read_text(partial(self._end_a, anchor))

    def _end_a(self, anchor: _Anchor, text: str | None) -> None:
        """Adds what a link leads to, if no thumbnail in it has done so."""
        if not anchor.targets:
            return
        find = Find(urls=anchor.targets[:MAX_URLS], source=Source.LINK if anchor.has_image else Source.TEXT_LINK)
        find.alt = bounded(anchor.alt)
        find.title = bounded(anchor.attributes.get("title")) or text
        find.caption = _label(anchor.attributes)
        find.heading, find.frame = self._heading, self._frame
        self._finds.append(find)


def _set_caption(frame: Frame, text: str | None) -> None:
    frame.caption = frame.caption or text


def _forget(_text: str) -> None:
    """Leaves a script unread."""


def _label(attributes: Attributes) -> str | None:
    return bounded(attributes.get("data-caption")) or bounded(attributes.get("aria-label"))


def _lead_on(find: Find, anchor: _Anchor) -> None:
    """Makes a thumbnail the last resort for the picture that its link leads to; there is one thumbnail to a link."""
    find.urls = [*dict.fromkeys([*anchor.targets, *find.urls])][:MAX_URLS]
    find.source, find.width, find.height = Source.LINK, None, None
    anchor.targets = []
