"""MkDocs calls these while it builds the site."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs_build.links import REPOSITORY, SITE_PAGES, rewrite_links

HOME = SITE_PAGES["README.md"]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie elsewhere in the repository."""
    for source, page in SITE_PAGES.items():
        if page != HOME:
            text = (REPOSITORY / source).read_text(encoding="utf-8")
            files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links to files of the repository into links to pages of the site."""
    place = page.file.src_uri
    source = next((outside for outside, inside in SITE_PAGES.items() if inside == place != HOME), None)
    return rewrite_links(markdown, source or f"docs/{place}", place)
