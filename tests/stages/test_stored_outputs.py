"""The stages' outputs and the store's files: one and the same, mended when damaged, gone and made anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from l3embed.store.claims import Claims
from l3embed.store.entries import Store
from l3embed.store.pruning import prune
from l3embed.store.recipe import Step

from .conftest import ALL_REUSED, FILES, first, write_audio
from .standin import Project

STEPS = (Step.PREPROCESS, Step.EMBED, Step.POOL)
"""Of the stages that a project of these tests has, in their order."""


def test_outputs_are_further_names_of_the_store_s_files(computed: Project, store_folder: Path) -> None:
    stored = {path.stat().st_ino for path in store_folder.glob("*/*/*") if path.suffix != ".json"}
    for output in (
        computed.folder / "preprocessed" / "audio" / "folder" / "0.wav.npy",
        computed.folder / "embeddings" / "audio" / "folder" / "0.wav.npz",
        computed.export_folder / "folder" / "0.npz",
    ):
        assert output.stat().st_ino in stored
        assert not output.stat().st_mode & 0o222


def test_outputs_on_another_disk_are_copies(
    computed: Project, monkeypatch: pytest.MonkeyPatch, store_folder: Path
) -> None:
    before = computed.outputs()

    def refuse(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    assert computed.run() == ALL_REUSED
    assert computed.outputs() == before
    output = computed.folder / "embeddings" / "audio" / "folder" / "0.wav.npz"
    assert output.stat().st_nlink == 1


def damage_all(store: Path, step: Step, damage: Callable[[Path], object]) -> None:
    for path in store.glob(f"{step.value}/*/*"):
        if path.suffix != ".json":
            path.chmod(0o644)
            damage(path)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.value)
@pytest.mark.parametrize(
    "damage",
    [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: _flip(path)],
    ids=["missing", "truncated", "rewritten"],
)
def test_damaged_results_are_computed_anew(
    computed: Project, store_folder: Path, step: Step, damage: Callable[[Path], object]
) -> None:
    before = computed.outputs()
    # Outputs are the same files: a damage is one to both.
    damage_all(store_folder, step, damage)
    expected = [(FILES, 0, 0) if step is other else (0, FILES, 0) for other in STEPS]
    assert list(computed.run()) == expected
    assert computed.outputs() == before


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_pruned_store_costs_nothing_but_time(computed: Project, store_folder: Path) -> None:
    before = computed.outputs()
    prune(store_folder, older_than_days=0, max_bytes=0)
    assert computed.outputs() == before
    assert computed.run() == ((FILES, 0, 0),) * 3
    assert computed.outputs() == before


def test_results_that_are_used_are_kept_the_longest(computed: Project, store_folder: Path) -> None:
    for note in store_folder.glob("*/*/*.json"):
        os.utime(note, (1, 1))
    first(computed).unlink()
    computed.run()
    pruned = prune(store_folder, older_than_days=1, max_bytes=None)
    assert pruned.results == 3
    assert computed.run() == ((0, FILES - 1, 0),) * 3


def test_every_stage_says_what_it_has_counted(computed: Project) -> None:
    (computed.dataset / "bad.wav").write_bytes(b"")
    write_audio(computed.dataset / "new.wav")
    said = computed.run_preprocess()
    assert said == f"preprocess: {FILES + 2} audio: 1 computed, {FILES} reused, 1 failed; 1.3 s of sound"
    assert computed.metrics("preprocess") == {
        "computed": 1,
        "reused": FILES,
        "failed": 1,
        "doubts": {"short": 5},
        "seconds": pytest.approx(0, abs=30),
    }


def test_the_model_is_not_loaded_if_nothing_is_to_be_computed(
    computed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "l3embed.stages.network.ChosenNetwork.load", lambda *arguments: pytest.fail("It was loaded.")
    )
    assert computed.embed() == (0, FILES, 0)


def test_claims_cost_no_file_descriptors(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        write_audio(project.dataset / f"{number}.wav", seconds=0.05)
    open_files: list[int] = []
    store_put = Store.put

    def counting(store: Store, *arguments: Any) -> Any:
        open_files.append(sum(1 for _ in Path("/proc/self/fd").iterdir()))
        return store_put(store, *arguments)

    monkeypatch.setattr(Store, "put", counting)
    # All of them wait in one batch.
    project.with_embed(batch_size=100).run()
    assert len(open_files) == 180
    assert max(open_files) - min(open_files) < 10


def test_an_input_that_another_run_has_is_waited_for(
    computed: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_audio(computed.dataset / "new.wav")
    waited: list[float] = []
    attempts: list[str] = []
    take = Claims.take

    def take_at_last(claims: Claims, key: str) -> bool:
        attempts.append(key)
        return len(attempts) > 3 and take(claims, key)

    monkeypatch.setattr(Claims, "take", take_at_last)
    monkeypatch.setattr("l3embed.store.reuse.time.sleep", waited.append)
    assert computed.preprocess() == (1, FILES, 0)
    # At once when the others were found, and then each time after a while.
    assert len(waited) == 2
    assert capfd.readouterr().err.count("Waiting for another run that is computing 1 of these.") == 1


def test_an_output_folder_may_be_a_link_to_another_disk(computed: Project) -> None:
    disk = computed.folder / "disk"
    (computed.folder / "preprocessed").rename(disk)
    (computed.folder / "preprocessed").symlink_to("disk")
    first(computed).unlink()
    assert computed.preprocess() == (0, FILES - 1, 0)
    assert (computed.folder / "preprocessed").is_symlink()
    assert len(list((disk / "audio" / "folder").iterdir())) == FILES - 1


def test_what_an_output_folder_links_to_is_left_alone(computed: Project) -> None:
    (computed.folder / "mine").mkdir()
    (computed.folder / "mine" / "notes.txt").write_text("mine")
    (computed.folder / "embeddings" / "linked").symlink_to("../mine")
    computed.embed()
    assert not (computed.folder / "embeddings" / "linked").is_symlink()
    assert (computed.folder / "mine" / "notes.txt").read_text() == "mine"
