"""The tables of an export, read as they were written or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import run_child
from evaluation.exported import file_rows, write_export

from l3embed.disk.seals import SEALS_FILE, seal
from l3embed.errors import OpenL3Error
from l3embed.export.manifest import mean_path, read_manifest, read_means
from l3embed.variants import Modality

from .conftest import Array


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Three sounds with their means, whose checksums nobody knows."""
    folder = write_export(tmp_path / "export", file_rows(["a", "b", "c"]), np.ones((3, 4)))
    (folder / SEALS_FILE).unlink()
    return folder


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


DAMAGES: dict[str, tuple[Callable[[str], str], str]] = {
    "emptied": (lambda text: "", "Its columns must be path, modality, label, .*; got none"),
    "another column": (replaced("modality", "mode"), "Its columns must be path, .*; got path, mode, "),
    "a column less": (
        lambda text: text.replace("path,", "", 1),
        "Its columns must be path, .*; got modality",
    ),
    "cut within a row": (lambda text: text[: text.index("001.wav") + 5], "Its row 3 has 1 cells for"),
    "a cell more": (replaced("001.wav,", "001.wav,,"), "Its row 3 has .* cells for"),
    "no number": (replaced(",ok,,,,,,0,", ",ok,,,,,,many,"), "ValueError: invalid literal"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_a_manifest_that_is_none_is_named_with_the_remedy(
    export: Path, damage: Callable[[str], str], reason: str
) -> None:
    path = export / "manifest.csv"
    path.write_text(damage(path.read_text()))
    with pytest.raises(OpenL3Error, match=rf"manifest\.csv: .*{reason}.* Run 'dvc repro -f export'"):
        read_manifest(export)


def test_a_manifest_that_was_changed_since_is_not_used(export: Path) -> None:
    path = export / "manifest.csv"
    seal(path)
    path.write_text(path.read_text().replace(",b,", ",a,"))
    with pytest.raises(OpenL3Error, match=r"manifest\.csv: It is not as it was written\. Run"):
        read_manifest(export)


def test_a_manifest_that_is_gone_is_missed(export: Path) -> None:
    seal(export / "manifest.csv")
    (export / "manifest.csv").unlink()
    with pytest.raises(OpenL3Error, match=r"manifest\.csv: .*No such file.* Run 'dvc repro -f export'"):
        read_manifest(export)


@pytest.mark.parametrize(
    "means",
    [np.ones((2, 4), np.float32), np.ones((3, 4)), np.ones(3, np.float32)],
    ids=["fewer", "doubles", "one dimension"],
)
def test_means_that_do_not_fit_the_manifest_are_not_used(export: Path, means: Array) -> None:
    np.save(mean_path(export, Modality.AUDIO), means)
    with pytest.raises(OpenL3Error, match=r"audio_mean\.npy: It must hold 3 rows of float32.* Run 'dvc"):
        read_means(export, Modality.AUDIO)


def test_checksums_are_those_that_sha256sum_checks(export: Path) -> None:
    seal(export / "manifest.csv")
    seal(export / "audio_mean.npy")
    said = run_child(["sha256sum", "--check", SEALS_FILE], cwd=export).stdout
    assert sorted(said.splitlines()) == ["audio_mean.npy: OK", "manifest.csv: OK"]
