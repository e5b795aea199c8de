"""What is wrong with a finished site: links that lead nowhere, pages that fetch from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What a browser fetches by itself when it shows a page, by tag.
FETCHED = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
# Links in the head of a page that nothing is fetched for.
NOT_FETCHED = {"alternate", "canonical", "next", "prev"}
IN_STYLES = re.compile(r"""(?:url\(|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """The anchors of a page, its links, and what it fetches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.fetched: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.add(given["href"])
        link = given.get(FETCHED.get(tag, ""))
        if link and not (tag == "link" and given.get("rel") in NOT_FETCHED):
            self.fetched.add(link)


def _problems_of_page(path: Path, page: Page, pages: dict[Path, Page]) -> Iterator[str]:
    for link in sorted(page.links | page.fetched):
        parts = urlsplit(link)
        if parts.netloc and link in page.fetched:
            yield f"reading it would fetch {link}"
        # The page for those who are lost cannot know from where it is shown.
        if parts.scheme or parts.netloc or path.name == "404.html":
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if target.is_dir():
            target /= "index.html"
        if not target.is_file():
            yield f"links to {link}, which is not there"
            continue
        anchor = unquote(parts.fragment)
        # "__top" is where the theme's button to the top leads.
        if anchor and target in pages and anchor not in pages[target].anchors | {"__top"}:
            yield f"links to {link}, a place that this page does not have"


def problems_of(site: Path) -> list[str]:
    """Check all pages and styles of a site; gives one line for each problem."""
    site = site.resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    if not pages:
        return [f"{site}: there are no pages"]
    found = [
        f"{path.relative_to(site).as_posix()}: {problem}"
        for path, page in pages.items()
        for problem in _problems_of_page(path, page, pages)
    ]
    for path in sorted(site.rglob("*.css")):
        name = path.relative_to(site).as_posix()
        links = IN_STYLES.findall(path.read_text(encoding="utf-8"))
        found += [f"{name}: reading it would fetch {link}" for link in links]
    return found
