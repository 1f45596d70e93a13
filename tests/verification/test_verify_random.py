"""``l3embed verify --weights random``: the figures that the package carries."""

from __future__ import annotations

import hashlib
import socket
import sys
import warnings
from itertools import product
from typing import Any

import pytest
from conftest import EACH_RUNTIME, REFERENCE_FOLDERS, run_child

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.models import running as embedders
from l3embed.variants import ContentType, Frontend, InputRepr, Media, Modality
from l3embed.verification import carried

from .conftest import rows_of, run

FLAC = "audio__notes_48k_mono__mel256_music_512_kapre_c_0.5"
DISCS = "image__discs_224__mel256_music_512"
MEBIBYTE = 2**20
CARRIED_SHA256 = "8c577395ee6149b1a9f9837e554385774e53156faaa2d70fd7b4377486f5001d"

CARRIED = sorted(path.relative_to(carried.REFERENCE) for path in carried.REFERENCE.rglob("*.*"))


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError("something is being fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_what_is_carried_is_the_reference_s_byte_for_byte() -> None:
    """The reference computed these once and for all: a change of a byte is a mistake."""
    digest = hashlib.sha256()
    for path in CARRIED:
        digest.update(path.as_posix().encode() + (carried.REFERENCE / path).read_bytes())
    assert digest.hexdigest() == CARRIED_SHA256


def test_what_is_carried_does_not_lie_in_the_tests_as_well() -> None:
    here = {path.relative_to(REFERENCE_FOLDERS[0]) for path in REFERENCE_FOLDERS[0].rglob("*.*")}
    assert not here & set(CARRIED)


def test_little_is_carried() -> None:
    assert sum((carried.REFERENCE / path).stat().st_size for path in CARRIED) < 1.5 * MEBIBYTE


def test_what_is_carried_tells_of_every_kind_of_model() -> None:
    cases = carried.carried_cases()
    audio = {
        (case.computation.input_repr, case.computation.content_type, case.computation.frontend)
        for case in cases
        if case.computation.media is Media.AUDIO
    }
    assert audio == set(product(InputRepr, ContentType, (Frontend.KAPRE, Frontend.LIBROSA)))
    assert {case.computation.audio_size for case in cases if case.modality is Modality.AUDIO} == {512}
    assert {case.computation.image_size for case in cases if case.modality is Modality.IMAGE} == {512, 8192}
    assert {case.computation.media for case in cases} == set(Media)


def test_tolerances() -> None:
    tolerances = {case.name: case.tolerance for case in carried.carried_cases()}
    assert tolerances[FLAC] == 1e-5
    assert tolerances["audio__rain_22k_mono__mel256_music_512_kapre_c_0.5"] == 1e-2
    assert tolerances[DISCS] == 1e-5
    assert tolerances["video__clip_12fps__audio"] == 1e-2
    assert tolerances["video__clip_12fps__image"] == 1e-4


def test_chosen_cases(capsys: pytest.CaptureFixture[str]) -> None:
    embedders.load_network.cache_clear()  # loading untrained weights warns, but here they are asked for
    with warnings.catch_warnings():
        warnings.simplefilter("error", OpenL3Warning)
        assert run("--weights", "random", "--only", DISCS, FLAC) == 0
    out, err = capsys.readouterr()
    rows = rows_of(out)
    assert [(name, row.tolerance, row.verdict) for name, row in rows.items()] == [
        (FLAC, "1e-05", "ok"),
        (DISCS, "1e-05", "ok"),
    ]
    assert all(float(row.difference) < 1e-5 for row in rows.values())
    assert out.splitlines()[-4:] == [
        "",
        "2 in all: 2 ok.",
        "Differences are the largest difference over the largest magnitude of the stored embeddings.",
        "The figures are openl3 0.4.2's with the same weights (random:20260101); nothing was fetched.",
    ]
    assert err == ""


@pytest.mark.slow
def test_all_cases(capsys: pytest.CaptureFixture[str]) -> None:
    status = run("--weights", "random")
    rows = rows_of(capsys.readouterr().out)
    assert {name: row for name, row in rows.items() if row.verdict != "ok"} == {}
    assert (status, len(rows)) == (0, 20)


def test_unknown_cases_are_told_with_all_that_are_known() -> None:
    with pytest.raises(OpenL3Error, match="There is no case 'daisy' here") as caught:
        run("--weights", "random", "--only", FLAC, "daisy")
    assert FLAC in str(caught.value)
    assert DISCS in str(caught.value)


def test_an_address_has_no_sense_with_random_weights() -> None:
    with pytest.raises(OpenL3Error, match="--url goes with --weights published"):
        run("--weights", "random", "--url", "http://127.0.0.1")


def test_weights_are_published_or_random(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--weights", "random:5")
    assert "invalid choice: 'random:5'" in capsys.readouterr().err


def test_importing_the_command_loads_nothing_heavy() -> None:
    code = "import sys, l3embed.cli.verify; sys.stdout.write(' '.join(sys.modules))"
    done = run_child([sys.executable, "-c", code])
    assert not {"numpy", "h5py", "requests", "tqdm", "tensorflow"} & set(done.stdout.split())


@EACH_RUNTIME
def test_the_networks_run_where_they_are_asked_to(runtime: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--weights", "random", "--runtime", runtime, "--device", "cpu", "--only", DISCS) == 0
    (row,) = rows_of(capsys.readouterr().out).values()
    assert (row.tolerance, row.verdict) == ("1e-05", "ok")


def test_a_runtime_that_does_not_go_with_the_device_is_each_case_s_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--weights", "random", "--runtime", "openvino", "--device", "gpu", "--only", DISCS) == 1
    (row,) = rows_of(capsys.readouterr().out).values()
    assert row.verdict == "failed"
    assert row.note.startswith("runtime openvino is for the CPU; got device gpu.")
