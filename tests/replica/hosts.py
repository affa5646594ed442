"""The hosts that exist in the replica. A new site is a module with its answers and a line here."""

from __future__ import annotations

import threading
from functools import partial

from tests.replica import (
    google,
    horrors,
    opt_outs,
    papacambridge,
    papers,
    picture_hosts,
    reddit,
    robots,
    site,
    unsplash,
)
from tests.replica.exchange import Site
from tests.replica.kinds import PICTURE_HOSTS, PRIVATE_HOST, TROUBLE_HOST


def build_sites(released: threading.Event) -> dict[str, Site]:
    """Every host and its answers; slow ones wait for ``released``."""
    return {
        "google.com": google.bare_domain,
        "www.google.com": google.www,
        "consent.google.com": google.consent,
        **{f"encrypted-tbn{number}.gstatic.com": picture_hosts.thumbnails for number in range(4)},
        **dict.fromkeys(PICTURE_HOSTS, picture_hosts.good),
        PRIVATE_HOST: picture_hosts.private,
        papers.HOST: papacambridge.past_papers,
        papers.HOME_HOST: papacambridge.home,
        **horrors.sites(),
        **opt_outs.sites(),
        **reddit.sites(),
        **robots.sites(),
        **site.sites(),
        **unsplash.sites(),
        TROUBLE_HOST: partial(picture_hosts.trouble, released=released),
    }
