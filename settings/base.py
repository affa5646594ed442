"""Plain Scrapy settings, in the order of Scrapy's own template; each deviation says its reason.

Every value here can be changed for one run: ``scrapy crawl ... -s NAME=VALUE``.
"""

import os

BOT_NAME = "imagecrawl"

SPIDER_MODULES = ["spiders"]
NEWSPIDER_MODULE = "spiders"
COMMANDS_MODULE = "imagecrawl.commands"

ADDONS: dict[str, int] = {}

# Who is asking. A site owner must be able to tell us from a browser.
USER_AGENT = "imagecrawl/0.1.0 (Scrapy)"

# Obeyed on every host. A spider names its own exceptions: see the README on Google's search pages and on Reddit.
ROBOTSTXT_OBEY = True

# Pictures lie on many hosts: many at once, few from each.
CONCURRENT_REQUESTS = 32  # default 16
CONCURRENT_REQUESTS_PER_DOMAIN = 4  # default 8
DOWNLOAD_TIMEOUT = 60  # seconds; default 180
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024  # bytes of one page; default 1 GiB. Pictures: IMAGES_MAX_BYTES
DOWNLOAD_WARNSIZE = 0  # the limits say it
DOWNLOAD_VERIFY_CERTIFICATES = True  # default False. SSL_CERT_FILE names one's own authority
TLS_UNVERIFIED_HOSTS: list[str] = []  # ours: exactly these hosts may have any certificate
REDIRECT_MAX_TIMES = 5  # default 20
RETRY_HTTP_CODES = [500, 502, 503, 504, 522, 524, 408]  # default has 429 too: asking again at once prolongs the ban
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # default ERROR; the outcome says it
PAUSE_MAX = 120  # ours: seconds that a host may make its requests wait; what would wait longer fails as rate-limited

# Both would listen on a port of every crawl.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

DOWNLOAD_HANDLERS = dict.fromkeys(("http", "https"), "imagecrawl.tls.DownloadHandler")  # with the browser

DOWNLOADER_MIDDLEWARES = {
    "imagecrawl.downloadermiddlewares.pauses.PausesMiddleware": 650,  # sees answers before redirect (600), retry (550)
    "imagecrawl.downloadermiddlewares.browser.BrowserMiddleware": 900,
}

EXTENSIONS = {
    "scrapy.extensions.feedexport.FeedExporter": None,
    "imagecrawl.extensions.feeds.Feeds": 0,  # in its place
    "imagecrawl.extensions.loglevels.LogLevels": 0,
    "imagecrawl.extensions.obstacles.Obstacles": 100,
    "imagecrawl.extensions.finish.FinishReason": 100,
    "imagecrawl.extensions.listing.Listing": 400,
    "imagecrawl.extensions.progress.ProgressLines": 400,
    "imagecrawl.extensions.summary.Summary": 500,  # after the lines: signals arrive in this order
}

ITEM_PIPELINES = {
    "imagecrawl.pipelines.image_store.ImageStorePipeline": 500,
    "imagecrawl.pipelines.file_store.FileStorePipeline": 500,
}

# A person at a terminal reads the progress lines and the summary. -L INFO shows what Scrapy does.
LOG_LEVEL = "WARNING"

# Where everything goes. The layout below it: imagecrawl/storage.py
DATA = os.environ.get("IMAGECRAWL_DATA") or "data"
IMAGES_STORE = f"{DATA}/images"
FILES_STORE = f"{DATA}/files"
BLOCKED_STORE = f"{DATA}/blocked"
LEDGER = f"{DATA}/ledger.sqlite3"  # on a local disk: SQLite's WAL does not work over a network
FEEDS = {
    f"{DATA}/feeds/%(name)s/%(batch_time)s.jsonl": {"format": "jsonlines"}
}  # time to the microsecond: one feed per run
FEED_EXPORT_ENCODING = "utf-8"
FEED_STORE_EMPTY = True

# What is in place is not asked for again until so many days have passed; 0 = never again.
REFRESH_DAYS = 0

# Used by ImageStorePipeline. A bound of 0 is no bound.
IMAGE_WIDTH_CLASSES = [0, 320, 640, 1024, 1920]  # pixels, lower bounds; empty = one folder per exact width
IMAGES_MIN_WIDTH = 0
IMAGES_MIN_HEIGHT = 0
IMAGES_MIN_BYTES = 0
IMAGES_MIN_PIXELS = 0
IMAGES_MAX_WIDTH = 0
IMAGES_MAX_HEIGHT = 0
IMAGES_MAX_BYTES = 32 * 1024 * 1024
IMAGES_MAX_PIXELS = 100_000_000  # 400 MB decoded; a 100-megapixel camera still passes

# Where hosts redirect to from a picture that is gone.
IMAGE_PLACEHOLDERS = ["https://i.imgur.com/removed.png", "https://imgur.com/removed.png"]

# Used by FileStorePipeline. A bound of 0 is no bound.
FILES_MAX_BYTES = 256 * 1024 * 1024

# Used by the spider site: where a walk through a site ends that has no end. Numbers of pages; 0 = no bound.
SITE_PAGES_PER_HOST = 50_000  # those below one domain that is followed count as one
SITE_PAGES_PER_PATH = 5_000  # in one folder, or of one path with other queries; numbers in addresses count as one

# Reddit: an app's credentials (without a secret: an installed app), and whose it is, in the form that Reddit asks for.
REDDIT_CLIENT_ID = os.environ.get("REDDIT_CLIENT_ID", "")
REDDIT_CLIENT_SECRET = os.environ.get("REDDIT_CLIENT_SECRET", "")
REDDIT_USERNAME = os.environ.get("REDDIT_USERNAME", "")
REDDIT_USER_AGENT = "python:imagecrawl:0.1.0 (by /u/{username})"

# The browser: scrapy-playwright's settings, then ours.
PLAYWRIGHT_BROWSER_PROVIDER = "imagecrawl.browser.ChromiumProvider"
PLAYWRIGHT_ABORT_REQUEST = "imagecrawl.browser.should_abort"
PLAYWRIGHT_PROCESS_REQUEST_HEADERS = None  # the browser's own headers
PLAYWRIGHT_MAX_PAGES_PER_CONTEXT = 2  # pages open at once, and so keywords searched at once
BROWSER_VERIFY_TLS = True  # False behind a proxy that re-signs TLS
BROWSER_SETTLE_TIMEOUT = 20  # seconds for results, or a known obstacle, to stand in a page
