"""On a Scrapyd server: its log is the only place where a run can be read."""

from settings.base import *  # noqa: F403

LOG_LEVEL = "INFO"
