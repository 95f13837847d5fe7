"""Check the links of a built site: each leads to a file of it, and to a place on that page.

Links to other hosts are counted, and with ``--external`` listed, but nothing is fetched.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links of a page and the places in it that can be linked to.

    Parameters
    ----------
    text : str
        The page.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, and its name."""
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.add(value)
            elif name == "id" and value:
                self.places.add(value)


def check(site: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Return a sentence for each bad link, and the pages that each link to another host is on."""
    pages = {
        path.resolve(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")
    }
    bad: list[str] = []
    external: dict[str, list[str]] = defaultdict(list)
    for path, page in sorted(pages.items()):
        name = path.relative_to(site.resolve()).as_posix()
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme in ("http", "https"):
                external[link].append(name)
            if parts.scheme or parts.netloc:
                continue
            start = site if parts.path.startswith("/") else path.parent
            target = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            if not target.is_file():
                bad.append(f"{name}: {link} leads to no file")
            elif parts.fragment and unquote(parts.fragment) not in pages[target].places:
                bad.append(f"{name}: {link} leads to a place that is not on that page")
    return bad, external


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser("check_links.py", description="Check the links of a site.")
    parser.add_argument("site", type=Path, help="the folder of the site")
    parser.add_argument("--external", action="store_true", help="list the links to other hosts")
    arguments = parser.parse_args(argv)
    bad, external = check(arguments.site)
    for sentence in bad:
        print(sentence, file=sys.stderr)
    if arguments.external:
        for link, names in sorted(external.items()):
            print(f"{link}  ({', '.join(names)})")
    print(f"{len(bad)} bad links; {len(external)} links to other hosts, not tried", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
