"""Millions of inputs in a file of a few hundred kilobytes: digests of groups that they fall into.

Up to `MOST_LISTED` inputs are listed one by one. Of more, the proof lists those whose embeddings it holds,
and a digest for each of 4,096 groups: an input's group are the first 12 bits of its path's SHA-256, and a
group's digest is SHA-256 over its inputs' lines, in the order of paths. So whatever differs is found, and
narrowed down to a group.
"""

from __future__ import annotations

from hashlib import sha256

MOST_LISTED = 10_000
"""About 3 MB of JSON."""

GROUP_BITS = 12
GROUPS = 1 << GROUP_BITS


def line_of(path: str, content_sha256: str, start_s: float | None, end_s: float | None) -> bytes:
    """Return what digests are over, of one input: its checksum, its section and its path."""
    section = "" if start_s is None and end_s is None else f"{start_s or 0.0}-{end_s}"
    return f"{content_sha256} {section} {path}\n".encode(errors="surrogateescape")


def group_of(path: str) -> int:
    """Return which group an input is in."""
    digest = sha256(path.encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:2], "big") >> (16 - GROUP_BITS)


class GroupDigests:
    """The digests of all groups, which inputs are added to in the order of their paths."""

    def __init__(self) -> None:
        self._groups = [sha256() for _ in range(GROUPS)]

    def add(self, path: str, line: bytes) -> None:
        """Add an input."""
        self._groups[group_of(path)].update(line)

    def digests(self) -> tuple[str, ...]:
        """Return the digest of each group."""
        return tuple(group.hexdigest() for group in self._groups)
