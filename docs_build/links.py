"""Links between pages and the repository's other files, which the site has as pages or not at all."""

from __future__ import annotations

import re
from os.path import relpath
from pathlib import Path, PurePosixPath

REPOSITORY = Path(__file__).resolve().parents[1]

SITE_PAGES = {
    "benchmarks/README.md": "explain/benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
}
"""Files outside of ``docs/`` that the site has as pages, by their paths in the repository."""

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
_PICTURE = re.compile(r"!\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s]+)\)")
_ELSEWHERE = re.compile(r"^(?:[a-z]+:|#|/)")


def rewrite_links(markdown: str, source: str, page: str) -> str:
    """Return a page's text with links that lead somewhere on the site.

    Links to files of the repository that the site does not have become their texts alone.

    Parameters
    ----------
    markdown : str
        The page as it is in the repository, where its links are right.
    source : str
        Path of the page's file in the repository.
    page : str
        Path of the page in the site's folder of pages.
    """

    def rewritten(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if not target or _ELSEWHERE.match(target):
            return match[0]
        place = _site_path(source, target)
        if place is None:
            return match["text"]
        picture = "!" if match[0].startswith("!") else ""
        # Headings of the README are not those of the home page.
        kept = f"#{anchor}" if anchor and place != SITE_PAGES["README.md"] else ""
        return f"{picture}[{match['text']}]({relpath(place, PurePosixPath(page).parent)}{kept})"

    return _PICTURE.sub(rewritten, _LINK.sub(rewritten, markdown))


def _site_path(source: str, target: str) -> str | None:
    """Return where the site has what a link in a file of the repository leads to, or None."""
    path = relpath((REPOSITORY / source).parent / target, REPOSITORY).replace("\\", "/")
    if path in SITE_PAGES:
        return SITE_PAGES[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else None
