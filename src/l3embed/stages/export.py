"""Stage ``export``: one ``.npz`` a recording, for ``np.load``, with a manifest and metrics."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from l3embed.atomic import replacing
from l3embed.progress import progress_bar
from l3embed.saving import RowSpool
from l3embed.stages.origin import Origin, read_origin
from l3embed.stages.results import Result, array_path, read_blocks, read_results, summarise, write_csv
from l3embed.version import __version__
from l3embed.windows import Framing

MANIFEST_FILE = "manifest.csv"
MANIFEST_COLUMNS = ("path", "status", "reason", "frames", "seconds", "output")
COPY_ROWS = 256


def run(embeddings: Path, output: Path, metrics_file: Path) -> str:
    """Export all embeddings of a folder; return the stage's summary."""
    results, origin = read_results(embeddings), read_origin(embeddings)
    outputs = output_names([result.path for result in results])
    output.mkdir(parents=True, exist_ok=True)
    dimension = 0
    with progress_bar("Exporting", total=len(results)) as bar:
        for result in results:
            if result.is_ok:
                source = array_path(embeddings, result.path)
                dimension = _export(source, origin, output / outputs[result.path])
            bar.update()
    _write_manifest(results, outputs, output / MANIFEST_FILE)
    _write_metrics(results, origin, dimension, metrics_file)
    return summarise("export", results, f"see {output / MANIFEST_FILE}")


def output_names(recordings: Sequence[str]) -> dict[str, str]:
    """Return the output of each recording: its path with ``.npz`` in place of its ending.

    Recordings that would meet in one output keep their endings: ``a.wav`` and ``a.ogg`` go to ``a.wav.npz``
    and ``a.ogg.npz``, since neither may be lost.
    """
    names: dict[str, str] = {}
    longer = {path: str(PurePosixPath(path).with_suffix("")) for path in recordings}
    # Again until nothing changes: next to a.ogg, a.wav keeps its ending, and so must a.wav.wav then.
    while longer != names:
        names, longer = longer, _keep_endings_where_shared(longer)
    return {path: f"{name}.npz" for path, name in names.items()}


def _keep_endings_where_shared(names: dict[str, str]) -> dict[str, str]:
    """Return the names, with the recording's whole path for those that several recordings have."""
    # Regardless of case, as some file systems have it.
    counts = Counter(name.casefold() for name in names.values())
    return {path: path if counts[name.casefold()] > 1 else name for path, name in names.items()}


def _export(source: Path, origin: Origin, path: Path) -> int:
    """Write one recording's output, and return the dimension of its embeddings."""
    framing = Framing(origin.hop_s, origin.center)
    made_with = {"variant": origin.variant, "weights": origin.weights, "version": __version__}
    dimension = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with RowSpool(path.parent) as spool:
        for rows in read_blocks(source, COPY_ROWS):
            dimension = rows.shape[1]
            spool.append(rows)
        spool.save_npz(path, "embedding", {"timestamps": framing.timestamps_s(spool.rows), **made_with})
    return dimension


def _write_manifest(results: Sequence[Result], outputs: dict[str, str], path: Path) -> None:
    rows = []
    for result in results:
        target = outputs[result.path] if result.is_ok else ""
        rows.append((result.path, result.status, result.reason, result.frames, result.seconds, target))
    write_csv(path, MANIFEST_COLUMNS, rows)


def _write_metrics(results: Sequence[Result], origin: Origin, dimension: int, path: Path) -> None:
    done = [result for result in results if result.is_ok]
    metrics: dict[str, Any] = {
        "recordings": len(results),
        "done": len(done),
        "failed": len(results) - len(done),
        "seconds_of_audio": round(sum(result.seconds for result in done), 3),
        "embeddings": sum(result.frames for result in done),
        "dimension": dimension,
        "variant": origin.variant,
        "weights": origin.weights if origin.trained else f"{origin.weights} (untrained)",
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
