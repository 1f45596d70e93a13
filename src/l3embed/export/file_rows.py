"""The embeddings of one file of an export: in a file of their own, or in a part with those of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.rows import read_npz_rows
from l3embed.export.manifest import ManifestRow
from l3embed.export.parquet import frame_block

NPZ_SUFFIX = ".npz"


def frame_times_s(export: Path, row: ManifestRow) -> npt.NDArray[np.float64]:
    """Return the times of a file's embeddings in seconds, ``(T,)``; none, if they have none."""
    path = export / row.output
    if path.suffix == NPZ_SUFFIX:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays.get("timestamps", ()), np.float64)
    times_s = [block for block, _ in _packed_frames(path, row)]
    found: npt.NDArray[np.float64] = np.concatenate(times_s) if times_s else np.empty(0)
    return np.asarray(found[np.isfinite(found)])


def frame_blocks(export: Path, row: ManifestRow, rows: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yield a file's embeddings in blocks of at most `rows` rows, ``(n, D)``."""
    path = export / row.output
    if path.suffix == NPZ_SUFFIX:
        yield from read_npz_rows(path, "embedding", rows)
        return
    for _, embeddings in _packed_frames(path, row):
        for start in range(0, len(embeddings), rows):
            yield embeddings[start : start + rows].astype(np.float32)


def _packed_frames(path: Path, row: ManifestRow) -> Iterator[tuple[npt.NDArray[np.float64], Any]]:
    """Yield times and embeddings of one file, from the row groups that may have any."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    columns = ["path", "frame", "timestamp_s", "embedding"]
    with pq.ParquetFile(path, page_checksum_verification=True) as part:
        place = part.schema_arrow.names.index("path")
        for group in range(part.num_row_groups):
            statistics = part.metadata.row_group(group).column(place).statistics
            if statistics.has_min_max and not statistics.min <= row.path <= statistics.max:
                continue
            table = part.read_row_group(group, columns=columns)
            table = table.filter(pc.equal(table["path"], row.path)).combine_chunks()
            for batch in table.to_batches() if table.num_rows else ():
                block = frame_block(pa.record_batch(batch))
                yield block.times_s, block.embeddings
