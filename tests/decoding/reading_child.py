"""A process that reads files one after the other, in little memory, and says what each cost it.

It is told ``MEDIA PATH`` line by line, and answers each with a JSON object: what became of the file, the
seconds of processor time that took, and the most memory that it or a process of its own has ever held.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from l3embed.errors import OpenL3Error, source_faults
from l3embed.inputs.media import MODALITIES, SourceFile
from l3embed.inputs.preparation import Samples, prepared_rows
from l3embed.variants import Media, Modality

MOST_BYTES = 2 * 2**30


def cost() -> tuple[float, int]:
    """Seconds of processor time so far, and the largest resident set in bytes."""
    own, processes = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in (own, processes))
    return seconds, 1024 * max(own_peak_kib(), processes.ru_maxrss)


def own_peak_kib() -> int:
    """Return the most memory this process has held; ``ru_maxrss`` counts its parent's at its start, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def read(path: Path, media: Media) -> str:
    """Read all that the networks need of a file, and return what becomes of it."""
    return ", ".join(read_for(SourceFile(path, media), modality) for modality in MODALITIES[media])


def read_for(source: SourceFile, modality: Modality) -> str:
    try:
        with source_faults():
            rows = sum(len(block) for block in prepared_rows(source, modality, Samples()))
    except OpenL3Error:
        return "refused"
    return "damaged" if source.findings.damage else f"{min(rows, 1)} or more rows"


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 * MOST_BYTES, 2 * MOST_BYTES))
    for line in sys.stdin:
        media, path = line.rstrip("\n").split(" ", 1)
        before_s, _ = cost()
        outcome = read(Path(path), Media(media))
        after_s, most_bytes = cost()
        answer = {"outcome": outcome, "seconds": after_s - before_s, "bytes": most_bytes}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
