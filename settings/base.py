"""Plain Scrapy settings, in the order of Scrapy's own template; each deviation says its reason.

Every value here can be changed for one run: ``scrapy crawl ... -s NAME=VALUE``.
"""

import os

BOT_NAME = "imagecrawl"

SPIDER_MODULES = ["spiders"]
NEWSPIDER_MODULE = "spiders"
COMMANDS_MODULE = "imagecrawl.commands"

ADDONS: dict[str, int] = {}

# Who is asking. A site owner must be able to tell us from a browser, and to reach whoever runs the crawl.
CONTACT = os.environ.get("IMAGECRAWL_CONTACT", "")  # ours: a mail address or a web page
USER_AGENT = "imagecrawl/0.1.0 ({contact})"

# Obeyed on every host. A spider names its own exceptions: see the README on Google's search pages and on Reddit.
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "imagecrawl"  # what we are called there: the product token of RFC 9309, 2.2.1
CRAWL_DELAY_MAX = 30  # ours: seconds between two requests to a host whose robots.txt asks for more

# Ours: what is done about each way to say that something is not to be used so: obey, record (in feed and ledger) or
# ignore. Obeyed is what speaks of machine learning; noindex and the like stand at many pictures, to be kept out of
# results, and whether a reservation of text and data mining binds depends on who crawls.
OPT_OUT_NOAI = "obey"
OPT_OUT_NOIMAGEAI = "obey"
OPT_OUT_NOML = "obey"
OPT_OUT_AI_TRAIN = "obey"  # ai-train=no of Content-Signal, train-ai=n of Content-Usage
OPT_OUT_AI_INPUT = "record"
OPT_OUT_SEARCH = "record"
OPT_OUT_NOINDEX = "record"
OPT_OUT_NOIMAGEINDEX = "record"
OPT_OUT_TDM_RESERVATION = "record"

# Pictures lie on many hosts: many at once, few from each.
CONCURRENT_REQUESTS = 32  # default 16
CONCURRENT_REQUESTS_PER_DOMAIN = 4  # default 8
DOWNLOAD_TIMEOUT = 60  # seconds; default 180
DOWNLOAD_MAXSIZE = 32 * 1024 * 1024  # bytes of one page; default 1 GiB. Pictures: IMAGES_MAX_BYTES
DOWNLOAD_WARNSIZE = 0  # the limits say it
DOWNLOAD_VERIFY_CERTIFICATES = True  # default False. SSL_CERT_FILE names one's own authority
TLS_UNVERIFIED_HOSTS: list[str] = []  # ours: exactly these hosts may have any certificate
REDIRECT_MAX_TIMES = 5  # default 20
URLLENGTH_LIMIT = 8192  # characters; default 2083: signed addresses of pictures are longer
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]  # default has 429 and 503 too: those pause the host, see below
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # default ERROR; the outcome says it
DOWNLOAD_MIN_RATE = 1024  # ours: bytes a second, after the first 10 s of a body; 0 = any
HEADERS_MAX_BYTES = 128 * 1024  # ours: of one answer; 0 = any
DATA_URI_MAX = 2 * 1024 * 1024  # ours: characters; 0 = any
PAUSE_MAX = 120  # ours: seconds that a host may make its requests wait; what would wait longer fails as rate-limited
BACKOFF_START = 1.0  # ours: seconds that a host is left alone after its first 429 or 503, if it does not say; 0 = none
REFUSALS_MAX = 5  # ours: after so many 429 or 503 in a row a host is asked for nothing more; 0 = never

# A host that answers slowly is asked more slowly: one request each half of the time until its answers begin. So two at
# once do not answer yet, while the other two of CONCURRENT_REQUESTS_PER_DOMAIN may be large pictures on their way.
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_TARGET_CONCURRENCY = 2  # default 1: from far away most of the time would be waiting
AUTOTHROTTLE_START_DELAY = 0  # default 5 s: the second picture of each of 1,000 hosts would wait for nothing
AUTOTHROTTLE_MAX_DELAY = 30  # seconds; default 60. With a target of 2 that is an answer after DOWNLOAD_TIMEOUT

# Both would listen on a port of every crawl.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

# Ours: whether this machine, private networks and clouds' metadata may be asked, for a crawl of one's own network.
ALLOW_PRIVATE_ADDRESSES = False

DOWNLOAD_HANDLERS = dict.fromkeys(("http", "https"), "imagecrawl.network.handler.DownloadHandler")  # with the browser

DOWNLOADER_MIDDLEWARES = {
    "imagecrawl.downloadermiddlewares.addresses.AddressesMiddleware": 50,  # before anything is asked for
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "imagecrawl.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": 100,  # in its place
    "imagecrawl.downloadermiddlewares.optouts.OptOutsMiddleware": 150,  # after robots.txt
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": None,
    "imagecrawl.downloadermiddlewares.useragent.UserAgentMiddleware": 500,  # in its place
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "imagecrawl.downloadermiddlewares.redirect.MetaRefreshMiddleware": 580,  # in its place
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "imagecrawl.downloadermiddlewares.redirect.RedirectMiddleware": 600,  # in its place
    "imagecrawl.downloadermiddlewares.pauses.PausesMiddleware": 650,  # sees answers before redirect (600), retry (550)
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "imagecrawl.downloadermiddlewares.cookies.CookiesMiddleware": 700,  # in its place
    "imagecrawl.downloadermiddlewares.browser.BrowserMiddleware": 900,
}

EXTENSIONS = {
    "scrapy.extensions.feedexport.FeedExporter": None,
    "imagecrawl.extensions.feeds.Feeds": 0,  # in its place
    "imagecrawl.extensions.loglines.LogLines": -100,  # before anything says a word
    "imagecrawl.extensions.loglevels.LogLevels": 0,
    "imagecrawl.extensions.obstacles.Obstacles": 100,
    "imagecrawl.extensions.slowness.Slowness": 100,
    "imagecrawl.extensions.finish.FinishReason": 100,
    "imagecrawl.extensions.listing.Listing": 400,
    "imagecrawl.extensions.progress.ProgressLines": 400,
    "imagecrawl.extensions.summary.Summary": 500,  # after the lines: signals arrive in this order
}

ITEM_PIPELINES = {
    "imagecrawl.pipelines.texts.TextsPipeline": 100,
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
IMAGES_MAX_FRAMES = 5_000  # of an animation, however small they are

# Used by TextsPipeline: characters of a title, a caption or any other text of a page; longer ones are cut. 0 = any.
TEXT_MAX_LENGTH = 2000

# Where hosts redirect to from a picture that is gone.
IMAGE_PLACEHOLDERS = ["https://i.imgur.com/removed.png", "https://imgur.com/removed.png"]

# Used by FileStorePipeline. A bound of 0 is no bound.
FILES_MAX_BYTES = 256 * 1024 * 1024
FILES_TIMEOUT = 600  # seconds; 256 MiB do not come within DOWNLOAD_TIMEOUT; 0 = DOWNLOAD_TIMEOUT

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
