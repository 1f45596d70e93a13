"""A packed run that is killed between two parts, and goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import child, kill

import l3embed
from stages.standin import STOP_VARIABLE
from stages.test_killed import wait_until_stopped

from .conftest import Packed, WriteSounds

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")]


def test_a_killed_process_loses_the_part_that_was_being_written(
    packed: Packed, write_sounds: WriteSounds, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_sounds(32)
    tests = Path(__file__).parents[2]
    paths = (str(tests), *sys.path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), STOP_VARIABLE: "pack 2"}
    folders = (str(packed.project.folder), str(packed.folder))
    command = [sys.executable, "-m", "stages.packed.child", *folders]
    with child(command, env=environment) as process:
        wait_until_stopped(process)
        kill(process)
    computed, reused, failed = packed.run()
    assert (computed + reused, failed) == (32, 0)
    assert 0 < reused < 32
    ours = l3embed.load_export(packed.export_folder)
    store = tmp_path / "another store"
    monkeypatch.setenv("L3EMBED_STORE", str(store))
    undisturbed = Packed(packed.project, tmp_path / "undisturbed")
    assert undisturbed.run() == (32, 0, 0)
    for mine, other in zip(ours, l3embed.load_export(undisturbed.export_folder), strict=True):
        np.testing.assert_array_equal(mine, other)
    parts = sorted((packed.folder / "embeddings" / "audio").iterdir())
    others = sorted((undisturbed.folder / "embeddings" / "audio").iterdir())
    assert [part.read_bytes() for part in parts] == [part.read_bytes() for part in others]
