"""A page in a real browser: what it logs and asks for is kept, and may be held against it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")


@dataclass(frozen=True, slots=True)
class Seen:
    """A page, what the browser logged as an error, and the origins that were asked for anything."""

    page: Page
    errors: list[str] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser. Playwright keeps an event loop in its thread: no asyncio.run while it is open."""
    assert CHROMIUM, "Chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, url: str, *, expected: str = "", missing: str = "", width: int = 1280, **options: Any
) -> Iterator[Seen]:
    """A page at a URL; what is `missing` is not answered.

    In the end the page has logged no error, but those that have the `expected` words, and asked no other origin.
    """
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    try:
        if missing:
            context.route(missing, lambda route: route.abort())
        seen = Seen(context.new_page())
        seen.page.on("console", lambda told: seen.errors.append(told.text) if told.type in ("error", "warning") else None)
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("request", lambda request: seen.origins.add(_origin(request.url)))
        seen.page.set_default_timeout(15_000)
        seen.page.goto(url)
        yield seen
        assert [error for error in seen.errors if not expected or expected not in error] == []
        assert seen.origins <= {_origin(url), "blob://"}
    finally:
        context.close()


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people out: serious and critical violations, with their places."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:150]}" for one in found if one["impact"] in ("serious", "critical") for node in one["nodes"]
    ]


def wider_than_screen(page: Page) -> bool:
    """Return whether the page has to be moved sideways to be read."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
