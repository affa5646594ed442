"""Past papers of pastpapers.papacambridge.com: which folders and files its pages list, of both eras of the site.

Era A (2018 to 2020) is a directory lister under ``/?dir=<path>``; era B, since then, has flat slugs under
``/papers/<board>/<slug>``. Pure functions of text; nothing is fetched. The parts: ``papacambridge_names`` reads file
names, ``papacambridge_places`` addresses, sessions and where a page stands in the tree, ``papacambridge_listing`` the
pages. Spiders need this module only.
"""

from __future__ import annotations

from imagecrawl.pages.papacambridge_listing import Listing, Paper, parse_listing
from imagecrawl.pages.papacambridge_names import EXTENSIONS, PaperName, parse_file_name
from imagecrawl.pages.papacambridge_places import (
    HOST,
    Folder,
    Place,
    Session,
    canonical_url,
    choose,
    entry_url,
    parse_place,
    parse_session,
)

__all__ = [
    "EXTENSIONS",
    "HOST",
    "Folder",
    "Listing",
    "Paper",
    "PaperName",
    "Place",
    "Session",
    "canonical_url",
    "choose",
    "entry_url",
    "parse_file_name",
    "parse_listing",
    "parse_place",
    "parse_session",
]
