"""Which embeddings a proof holds: drawn by the inputs themselves, so that nobody chooses them."""

from __future__ import annotations

from hashlib import sha256


def drawn_places(total: int, count: int, seed: str) -> list[int]:
    """Return `count` different places of `total`, or all of them, in the order in which they are drawn.

    The n-th draw is SHA-256 of ``SEED n``, its first 8 bytes taken as a number, modulo `total`: the same
    everywhere and for ever, as no generator of random numbers promises to be.
    """
    if count >= total:
        return sorted(range(total), key=lambda place: _number(seed, place))
    drawn: dict[int, None] = {}
    number = 0
    while len(drawn) < count:
        drawn[_number(seed, number) % total] = None
        number += 1
    return list(drawn)


def _number(seed: str, number: int) -> int:
    return int.from_bytes(sha256(f"{seed} {number}".encode()).digest()[:8], "big")
