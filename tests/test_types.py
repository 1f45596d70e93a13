"""What type checkers and editors know of l3embed: words as literals, and what comes out by what goes in."""

from __future__ import annotations

import os
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import get_args

import pytest
from conftest import child

import l3embed
from l3embed import variants

PACKAGE = Path(l3embed.__file__).parent

USER_S_CODE = """
from typing import Any

import l3embed as openl3
import numpy as np
import numpy.typing as npt
from typing_extensions import assert_type

Embedding = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]

audio: npt.NDArray[np.float64] = np.zeros(48_000)
emb, ts = openl3.get_audio_embedding(audio, 48_000, input_repr="mel128", embedding_size=512)
assert_type(emb, Embedding)
assert_type(ts, Times)
emb.shape[0] + ts.mean()
embs, tss = openl3.get_audio_embedding([audio, audio], [48_000, 44_100])
assert_type(embs, list[Embedding])
assert_type(tss, list[Times])

image: npt.NDArray[np.uint8] = np.zeros((224, 224, 3), np.uint8)
assert_type(openl3.get_image_embedding(image, embedding_size=512), Embedding)
assert_type(openl3.get_image_embedding([image, image]), list[Embedding])
assert_type(openl3.get_image_embedding(image, 30.0), tuple[Embedding, Times])
assert_type(openl3.get_image_embedding([image], frame_rate=[30.0]), tuple[list[Embedding], list[Times]])

stream = openl3.AudioEmbeddingStream(48_000, input_repr="linear")
assert_type(stream.feed(audio), tuple[Embedding, Times])

model: Any = openl3.models.load_audio_embedding_model("mel128", "music", 6144, frontend="librosa")
openl3.process_audio_file("a.wav", model=model, frontend="librosa", device="cpu", on_damage="skip")
openl3.process_video_file("a.mp4", audio_embedding_size=512, image_embedding_size=512)

export = openl3.load_export("data/export", modality="image", rows="files")
assert_type(export.embeddings, Embedding)
embeddings, labels, groups, times, paths = export
assert_type(groups, npt.NDArray[np.int64])

try:
    pass
except openl3.openl3_exceptions.OpenL3Error:
    pass
"""

MISTAKES = {
    "a misspelt representation": 'openl3.get_audio_embedding(audio, 48_000, input_repr="mel64")',
    "a size that is another network's": "openl3.get_image_embedding(image, embedding_size=6144)",
    "a misspelt model": 'openl3.models.load_audio_embedding_model("mel12", "music", 512)',
    "misspelt rows": 'openl3.load_export("data/export", rows="file")',
    "a misspelt function": "openl3.get_audio_embeding(audio, 48_000)",
}


def mypy(path: Path) -> list[str]:
    """Check a user's strict code, without what mypy says of l3embed itself."""
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary"]
    command += [f"--cache-dir={path.parent / 'cache'}", str(path)]
    environment = {**os.environ, "MYPYPATH": str(PACKAGE.parent)}
    with child(command, cwd=path.parent, env=environment, stdout=subprocess.PIPE) as process:
        return process.communicate()[0].splitlines()


@pytest.mark.slow
def test_mypy_knows_what_comes_out_and_which_words_go_in(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(USER_S_CODE)
    assert mypy(good) == []
    lines = USER_S_CODE.splitlines()
    bad.write_text("\n".join([*lines, *MISTAKES.values(), ""]))
    found = {int(line.split(":")[1]) for line in mypy(bad) if ": error:" in line}
    assert found == {len(lines) + number for number in range(1, len(MISTAKES) + 1)}


@pytest.mark.parametrize(
    ("literal", "kind"),
    [
        (variants.ContentTypeName, variants.ContentType),
        (variants.InputReprName, variants.InputRepr),
        (variants.FrontendName, variants.Frontend),
        (variants.DeviceName, variants.Device),
        (variants.PrecisionName, variants.Precision),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_type_checkers_are_told_the_words_that_are_allowed(literal: object, kind: type[Enum]) -> None:
    assert get_args(literal) == tuple(member.value for member in kind)


def test_type_checkers_are_told_the_sizes_that_are_allowed() -> None:
    assert get_args(variants.AudioSize) == variants.AUDIO_EMBEDDING_SIZES
    assert get_args(variants.ImageSize) == variants.IMAGE_EMBEDDING_SIZES


def test_the_package_says_that_it_has_types() -> None:
    """Without the marker, type checkers take all of it for Any."""
    assert (PACKAGE / "py.typed").is_file()
