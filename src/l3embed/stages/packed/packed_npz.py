"""The embeddings of a packed run as one ``.npz`` an input, where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from l3embed.disk.rows import RowSpool
from l3embed.disk.seals import reading
from l3embed.export.parquet import frame_block
from l3embed.models.origin import read_origins
from l3embed.stages.export import output_names
from l3embed.stages.packed.packed_folder import TABLE_FILE, part_path
from l3embed.stages.packed.part_files import PackedResult, read_results
from l3embed.stages.packed.plan import PartId
from l3embed.variants import Modality

PathKey: TypeAlias = "tuple[str, Modality]"
"""An input's path, and which network its embeddings are from."""


def write_npz(embeddings: Path, export: Path) -> dict[PathKey, str]:
    """Write the embeddings of each input to where ``layout=files`` has them, in float32; return the names.

    What each input is called follows from all of them, so that they are all held.
    """
    results = list(read_results(embeddings / TABLE_FILE))
    names = output_names([each.result for each in results])
    by_part: dict[PartId, list[tuple[PackedResult, str]]] = {}
    for each, name in zip(results, names, strict=True):
        if each.has_embeddings:
            by_part.setdefault(PartId(each.result.modality, each.part), []).append((each, name))
    origins = read_origins(embeddings)
    for part, own in by_part.items():
        own.sort(key=lambda pair: pair[0].first_row)
        path = part_path(embeddings, part)
        with reading(path, "embed"):
            _write_part(path, own, export, origins[part.modality])
    return {(each.result.path, each.result.modality): name for each, name in zip(results, names, strict=True)}


def _write_part(path: Path, own: list[tuple[PackedResult, str]], export: Path, origin: Any) -> None:
    blocks = _blocks(path)
    held: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]] = []
    for each, name in own:
        target = export / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opened:
            spool = opened.enter_context(RowSpool(target.parent))
            times: list[npt.NDArray[np.float64]] = []
            while spool.rows < each.result.frames:
                times_s, rows = held.pop() if held else next(blocks)
                count = each.result.frames - spool.rows
                spool.append(rows[:count])
                times.append(times_s[:count])
                if len(rows) > count:
                    held.append((times_s[count:], rows[count:]))
            times_s = np.concatenate(times)
            others: dict[str, Any] = {} if np.isnan(times_s).all() else {"timestamps": times_s}
            spool.save_npz(target, "embedding", others | origin.arrays(each.result.runtime))


def _blocks(path: Path) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]]:
    import pyarrow.parquet as pq

    columns = ["path", "frame", "timestamp_s", "embedding"]
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(columns=columns):
            block = frame_block(batch)
            yield block.times_s, block.embeddings.astype(np.float32)
