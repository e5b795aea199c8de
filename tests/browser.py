"""A browser for tests: Debian's Chromium, driven by Playwright, drawing without a GPU."""

import re
import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
# Chromium asks Google's servers for this and that; and without a GPU it draws by SwiftShader.
FLAGS = (
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
SECONDS = 20_000  # milliseconds; a machine may be busy
# What the driver of the software renderer says of itself.
_OF_THE_DRIVER = re.compile(r"GL Driver Message|GPU stall")


@contextmanager
def browser():
    """Start Chromium, or skip the test where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine")
    with sync_api.sync_playwright() as playwright, launched(playwright.chromium) as started:
        yield started


@contextmanager
def launched(kind, *flags):
    """Start one more, with more flags."""
    started = kind.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
    yield started
    started.close()


class Watched:
    """A page whose requests and messages are written down."""

    def __init__(self, started, **settings):
        settings.setdefault("viewport", {"width": 1280, "height": 800})
        self.context = started.new_context(accept_downloads=True, **settings)
        self.page = self.context.new_page()
        self.page.set_default_timeout(SECONDS)
        self.requests, self.messages = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self._note(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self._note(f"error: {error}"))

    def _note(self, message):
        if not _OF_THE_DRIVER.search(message):
            self.messages.append(message)

    def open(self, address):
        self.page.goto(address)
        self.page.wait_for_selector("html[data-ready=true]", state="attached")
        return self.page

    def close(self):
        """End, and say what the page should not have done."""
        self.context.close()
        strangers = [
            url
            for url in self.requests
            if not re.match(r"(http://127\.0\.0\.1:\d+/|data:|blob:)", url)
        ]
        assert strangers == [], strangers
        assert self.messages == [], self.messages
