"""``python -m tests.replica``: the replica for a person with a shell."""

from __future__ import annotations

import argparse
import shlex
import threading
from collections.abc import Sequence

from tests.replica import Replica, subreddits
from tests.replica.catalogue import SCENARIOS

EXAMPLES = (
    "scrapy crawl google_images -a q=cats -a limit=20 -s BROWSER_VERIFY_TLS=False",
    "scrapy crawl papacambridge -a subject=9609",
    "REDDIT_CLIENT_ID=replica-id REDDIT_CLIENT_SECRET=replica-secret scrapy crawl subreddit -a name=pics",
)


def introduction(replica: Replica) -> str:
    """What to type into another shell, the keywords that make Google misbehave, and the subreddits there are."""
    environment = replica.environment()
    return "\n".join(
        [
            "# In another shell:",
            *(f"export {name}={shlex.quote(value)}" for name, value in environment.items()),
            *EXAMPLES,
            f"# Afterwards: unset {' '.join(environment)}",
            "",
            "Any keyword has 230 results. These do something else:",
            *(f"  {keyword:16} {meaning}" for keyword, meaning in SCENARIOS.items()),
            "",
            "These are the subreddits:",
            *(f"  {name:16} {meaning}" for name, meaning in subreddits.SCENARIOS.items()),
            "",
            "Ctrl-C ends it.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.replica", description="A small internet on loopback.")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free one)")
    with Replica(parser.parse_args(arguments).port) as replica:
        print(introduction(replica), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
