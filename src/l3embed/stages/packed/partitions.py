"""Which part of a packed dataset each input belongs to, and which shard of a run computes it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from l3embed.errors import OpenL3Error

FEW_INPUTS = 8
"""Inputs of a part of a small dataset, about: several shards are to have something to do."""

USUAL_PARTS = 64
"""Up to so many parts, they are that small; then they grow."""

MOST_INPUTS = 2_000
"""Inputs of a part, about, from which on there are more parts: what a killed run does again at most."""

HASH_BITS = 64


@dataclass(frozen=True)
class Shard:
    """One of several calls that share a run.

    Parameters
    ----------
    number : int
        Which, from 0 on.
    count : int
        How many there are.

    Raises
    ------
    OpenL3Error
        If there is no such shard.
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count:
            raise OpenL3Error(
                f"shard must be I/N, I from 0 to N - 1; got {self}. Of {self.count} shards the first is "
                f"0/{self.count} and the last {self.count - 1}/{self.count}."
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, part: int) -> bool:
        """Tell whether a part is this shard's to compute."""
        return part % self.count == self.number


def parse_shard(text: str) -> Shard:
    """Read ``I/N``.

    Raises
    ------
    OpenL3Error
        If it is written in another way, or there is no such shard.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or int(found[2]) < 1:
        raise OpenL3Error(f"shard must be I/N, as in 0/8 for the first of 8 shards; got {text!r}.")
    return Shard(int(found[1]), int(found[2]))


def part_count(inputs: int) -> int:
    """Return how many parts so many inputs are kept in: a power of two, which changes seldom.

    200,000 inputs are in 128 parts.
    """
    return max(_power_of_two(inputs / MOST_INPUTS), min(USUAL_PARTS, _power_of_two(inputs / FEW_INPUTS)))


def part_of(path: str, parts: int) -> int:
    """Return which of so many parts an input is in, by the first bits of its path's checksum.

    An added input moves no other. Where there are twice as many parts, each has become two of them.
    """
    digest = hashlib.sha256(path.encode(errors="surrogateescape")).digest()
    bits = (parts - 1).bit_length()
    return int.from_bytes(digest[: HASH_BITS // 8], "big") >> (HASH_BITS - bits) if bits else 0


def _power_of_two(least: float) -> int:
    count = 1
    while count < least:
        count *= 2
    return count
