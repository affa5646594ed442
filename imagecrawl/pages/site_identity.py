"""Which finds are one picture, and which of its addresses is the best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from imagecrawl.pages.site_addresses import Identity, identify
from imagecrawl.pages.site_values import MAX_URLS, Find, Picture

T = TypeVar("T")


def merge(finds: Iterable[Find]) -> list[Picture]:
    """Each picture once, in the order in which the first of its finds stands.

    Finds are one picture

    1. when their best addresses have the same identity, see :func:`~imagecrawl.pages.site_addresses.identify`: the same
       address, or the same file in another size (``-300x200``, ``?w=300``), whatever the page says around it;
    2. when the best address of one is a lesser address of exactly one other, and the one has no address that the other
       lacks: the thumbnail or the candidate of a ``srcset`` stands by itself elsewhere. An address that several
       pictures have (an icon in each link, the next picture of a series) says nothing, and is no lesser address of any.

    The candidates of one element and the thumbnail in a link are one find from the start. Nothing else is: neither
    likeness of names nor neighbourhood.

    The best address is that of the find that has the others as its lesser ones; of the same file in several sizes, the
    largest. The texts are those of the first find that has any.
    """
    identities: dict[str, Identity] = {}
    found = [*finds]
    for find in found:
        for url in find.urls:
            if url not in identities:
                identities[url] = identify(url)
    groups: dict[str, list[Find]] = {}
    for find in found:
        groups.setdefault(identities[find.urls[0]].key, []).append(find)
    parts = {key: {identities[url].key for find in group for url in find.urls} for key, group in groups.items()}
    owners: dict[str, set[str]] = {}
    for key, inside in parts.items():
        for part in inside - {key}:
            owners.setdefault(part, set()).add(key)
    leaders = _leaders(parts, owners)
    merged: dict[str, list[str]] = {}
    for key in groups:
        merged.setdefault(leaders[key], []).append(key)
    shared = {
        key for key, names in owners.items() if len({leaders[name] for name in names | ({key} & leaders.keys())}) > 1
    }
    places = {id(find): place for place, find in enumerate(found)}
    pictures = []
    for leader, keys in merged.items():
        together = [find for key in (leader, *(key for key in keys if key != leader)) for find in groups[key]]
        urls = [*_addresses(together, {*keys}, shared, identities)]
        first_to_last = sorted(together, key=lambda find: places[id(find)])
        pictures.append((places[id(first_to_last[0])], urls, first_to_last))
    pictures.sort(key=lambda picture: picture[0])
    return [
        _picture(urls, group, place, identities[urls[0]]) for place, (_, urls, group) in enumerate(pictures, start=1)
    ]


def _leaders(parts: dict[str, set[str]], owners: dict[str, set[str]]) -> dict[str, str]:
    """For each group, the one that it belongs to: itself, or the one that has all its addresses.

    ``parts`` are the identities of the addresses of each group, ``owners`` the groups that have one among the lesser.
    """
    leaders = {key: key for key in parts}

    def leader_of(key: str) -> str:
        while leaders[key] != key:
            leaders[key] = leaders[leaders[key]]
            key = leaders[key]
        return key

    for key, inside in parts.items():
        named = owners.get(key, set())
        if len(named) == 1 and inside <= parts[next(iter(named))]:
            leaders[leader_of(key)] = leader_of(next(iter(named)))
    return {key: leader_of(key) for key in parts}


def _addresses(
    together: list[Find], keys: set[str], shared: set[str], identities: dict[str, Identity]
) -> Iterator[str]:
    """The addresses of one picture, best first."""
    urls = [*dict.fromkeys(url for find in together for url in find.urls)]
    best = identities[urls[0]].key
    same = [url for url in urls if identities[url].key == best]
    same.sort(key=lambda url: (-identities[url].size, not url.startswith("https:")))
    rest = (url for url in urls if identities[url].key != best)
    yield from [*same, *(url for url in rest if identities[url].key in keys or identities[url].key not in shared)][
        :MAX_URLS
    ]


def _picture(urls: list[str], group: list[Find], place: int, identity: Identity) -> Picture:
    """One picture: its source is that of the find whose best address is the best of all, else of the first."""
    at_best = [find for find in group if find.urls[0] == urls[0]]
    widest = max(at_best, key=lambda find: find.width or 0) if at_best else None
    return Picture(
        urls=tuple(urls),
        identity=identity,
        source=(at_best or [find for find in group if urls[0] in find.urls])[0].source,
        alt=_first(find.alt for find in group),
        title=_first(find.title for find in group),
        caption=_first(find.caption for find in group),
        heading=_first(find.heading for find in group),
        position=place,
        width=widest.width if widest else None,
        height=widest.height if widest else None,
        leads_to=_first(find.leads_to for find in group),
    )


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)
