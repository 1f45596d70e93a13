"""Stage ``preprocess``: recordings to what the network takes in, one ``.npy`` each."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from l3embed import audio
from l3embed.decoding.recording import SUFFIXES
from l3embed.errors import OpenL3Error
from l3embed.progress import progress_bar, say
from l3embed.saving import RowSpool
from l3embed.stages.results import (
    NAMED,
    Result,
    array_path,
    name_failures,
    require_one,
    summarise,
    write_results,
)
from l3embed.variants import InputRepr
from l3embed.windows import Framing


@dataclass(frozen=True)
class Samples:
    """48 kHz mono samples, ``(N,)``: for the kapre frontend, whatever the model and the hop."""

    def rows(self, mono: Iterator[npt.NDArray[np.float64]]) -> audio.Inputs:
        """Return the rows of one recording's file."""
        return mono


@dataclass(frozen=True)
class Spectrograms:
    """Spectrograms of the windows, ``(T, frequency, time, 1)``: for the librosa frontend."""

    input_repr: InputRepr
    framing: Framing

    def rows(self, mono: Iterator[npt.NDArray[np.float64]]) -> audio.Inputs:
        """Return the rows of one recording's file."""
        return audio.network_inputs(mono, self.framing, audio.as_spectrograms(self.input_repr))


def run(dataset: Path, kind: Samples | Spectrograms, output: Path) -> str:
    """Preprocess all audio files of a folder and its subfolders; return the stage's summary.

    Raises
    ------
    OpenL3Error
        If the folder is not there, has no audio files, or none that can be read.
    """
    paths, ignored = find_recordings(dataset)
    output.mkdir(parents=True, exist_ok=True)
    results = []
    doubtful: dict[str, audio.Heard] = {}
    with progress_bar("Preprocessing", total=len(paths)) as bar:
        for path in paths:
            heard = audio.Heard()
            results.append(_preprocess(dataset, path, kind, output, heard))
            if heard.is_silent or heard.is_short:
                doubtful[path] = heard
            bar.update()
    _warn_of(doubtful)
    name_failures("preprocess", results)
    require_one("preprocess", results)
    write_results(results, output)
    seconds = sum(result.seconds for result in results)
    others = f", {ignored} other files left out" if ignored else ""
    return summarise("preprocess", results, f"{seconds:.1f} s of audio{others}")


def find_recordings(dataset: Path) -> tuple[list[str], int]:
    """Return the audio files below a folder, sorted, relative to it, and how many other files there are.

    Files and folders whose names begin with a dot do not count.

    Raises
    ------
    OpenL3Error
        If the folder is not there or has no audio files.
    """
    if not dataset.is_dir():
        raise OpenL3Error(f"The dataset must be a folder; {dataset} is none. Set dataset.path to yours.")
    files = [path for path in _visible_files(dataset) if path.is_file()]
    audio_files = [path for path in files if path.suffix.lower() in SUFFIXES]
    recordings = sorted(path.relative_to(dataset).as_posix() for path in audio_files)
    if not recordings:
        endings = ", ".join(sorted(SUFFIXES))
        raise OpenL3Error(f"There are no audio files in {dataset}, known by their endings: {endings}.")
    return recordings, len(files) - len(recordings)


def _visible_files(dataset: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(dataset):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _preprocess(
    dataset: Path, recording: str, kind: Samples | Spectrograms, output: Path, heard: audio.Heard
) -> Result:
    """Write one recording's rows, and fill in what was heard."""
    target = array_path(output, recording)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with RowSpool(target.parent) as spool:
            for rows in kind.rows(audio.file_mono_blocks(dataset / recording, heard)):
                spool.append(rows.astype(np.float32))
            spool.save_npy(target)
    except OpenL3Error as error:
        return Result(recording).failed(str(error))
    except OSError as error:
        # What is wrong with the disk stops the stage, so that it is not taken for a result.
        if error.errno != errno.ENAMETOOLONG:
            raise
        return Result(recording).failed("Its name is too long for that of an output. Shorten it.")
    return Result(recording, seconds=round(heard.duration_s, 6))


def _warn_of(doubtful: dict[str, audio.Heard]) -> None:
    """Warn of silent and short recordings: of the first by name, since short clips come in thousands."""
    for path in list(doubtful)[:NAMED]:
        doubtful[path].warn(path)
    if len(doubtful) > NAMED:
        say(f"preprocess: warning: {len(doubtful) - NAMED} more are silent or shorter than one window")
