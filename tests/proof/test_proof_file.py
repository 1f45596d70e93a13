"""The file itself: whatever was changed in it, or is another program's, is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from l3embed.errors import OpenL3Error
from l3embed.proof.proof_file import read_proof, write_proof
from l3embed.proof.statement import (
    Proof,
    ProvenInput,
    ProvenInputs,
    ProvenNetwork,
    ProvenSettings,
    ProvenWindow,
    in_base64,
)

from .conftest import forge, own_checksum, read_json

VECTOR = np.array([1.5, -2.25, 0.1], np.float32)

PROOF = Proof(
    ProvenInputs(1, 0, 2, 1.5, "d" * 64, (ProvenInput("a/ä.wav", "e" * 64, {"audio": 2}, 1.5),)),
    ProvenSettings("dvc.lock", "sounds", ("audio",), (), ("*.mp3",), 0.5, True, "use", False, 300.0),
    {
        "audio": ProvenNetwork(
            *("audio_mel128_music_512_kapre", "float32", 3, "float32", "random:1", None, ("ncnn",))
        )
    },
    {"embed": "f" * 64},
    {"numpy": ("2.2.6",)},
    "a machine",
    (ProvenWindow("a/ä.wav", "audio", 1, 0.5, in_base64(VECTOR)),),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_proof(tmp_path / "proof.json", PROOF)
    return tmp_path / "proof.json"


def test_what_is_read_is_what_was_written(path: Path) -> None:
    proof, checksum = read_proof(path)
    assert proof == PROOF
    np.testing.assert_array_equal(proof.windows[0].vector, VECTOR)
    assert checksum == read_json(path)["checksum"] == own_checksum(read_json(path))


def test_spaces_and_line_ends_do_not_matter(path: Path) -> None:
    path.write_text(json.dumps(read_json(path), separators=(",", ":")).replace(",", ",\r\n"))
    assert read_proof(path)[0] == PROOF


def changed_places(text: str) -> list[int]:
    """Places of letters and digits, some of each kind of value; those of the format's own words excluded."""
    start = text.index('"format_version"') + len('"format_version": 1,')
    return [place for place in range(start, len(text), 17) if text[place].isalnum()]


def test_any_other_character_is_told(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    places = changed_places(text)
    assert len(places) > 20
    for place in places:
        other = "8" if text[place] != "8" else "9"
        path.write_text(text[:place] + other + text[place + 1 :], encoding="utf-8")
        with pytest.raises(OpenL3Error, match=r"was changed since it was written|another file or cut short"):
            read_proof(path)


def test_a_proof_that_is_cut_short_is_told(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(OpenL3Error, match="no proof that can be read, but another file or cut short"):
        read_proof(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"{}", "is JSON, and no proof", id="empty object"),
        pytest.param(b'{"format": "croissant"}', "is JSON, and no proof", id="another program's"),
        pytest.param(b"[1, 2]", "must hold a JSON object", id="list"),
        pytest.param(b"\xff\xfe\x00", "another file or cut short", id="no text"),
        pytest.param(b"[" * 100_000, "another file or cut short", id="deep"),
        pytest.param(b"", "another file or cut short", id="empty"),
    ],
)
def test_other_files_are_told(path: Path, content: bytes, told: str) -> None:
    path.write_bytes(content)
    with pytest.raises(OpenL3Error, match=told):
        read_proof(path)


def test_a_proof_of_another_format_says_what_to_do(path: Path) -> None:
    forge(path, path, ["format_version"], 2)
    with pytest.raises(OpenL3Error, match="a proof of the format 2, and this l3embed reads 1"):
        read_proof(path)


def test_no_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone.json"):
        with pytest.raises(OpenL3Error, match="There is no file"):
            read_proof(path)


FIRST_ROW: list[str | int] = ["inputs", "rows", 0]
FIRST_WINDOW: list[str | int] = ["windows", 0]


@pytest.mark.parametrize(
    ("steps", "value", "told"),
    [
        pytest.param(["inputs", "count"], "many", r"it\.inputs\.count must be int; got 'many'", id="type"),
        pytest.param(["inputs", "count"], True, r"it\.inputs\.count must be int", id="bool"),
        pytest.param(["windows"], {}, r"it\.windows must be a list", id="list"),
        pytest.param(["networks"], [], r"it\.networks must be an object", id="object"),
        pytest.param(["settings"], {}, r"it\.settings must have", id="missing"),
        pytest.param(["more"], 1, "it must have .* not known: more", id="unknown"),
        pytest.param(["settings", "media"], ["smell"], "media must be one of", id="media"),
        pytest.param([*FIRST_ROW, "path"], "../a.wav", "must lead into the dataset", id="climbs"),
        pytest.param([*FIRST_ROW, "path"], "/etc/passwd", "must lead into the dataset", id="absolute"),
        pytest.param([*FIRST_ROW, "path"], "c:/a.wav", "must lead into the dataset", id="drive"),
        pytest.param([*FIRST_ROW, "path"], "", "must lead into the dataset", id="nothing"),
        pytest.param([*FIRST_WINDOW, "path"], "b.wav", "which has no such one", id="other input"),
        pytest.param([*FIRST_WINDOW, "frame"], 2, "which has no such one", id="frame"),
        pytest.param([*FIRST_WINDOW, "modality"], "image", "which has no such one", id="modality"),
        pytest.param([*FIRST_WINDOW, "modality"], "taste", "modality must be one of", id="no modality"),
        pytest.param([*FIRST_WINDOW, "embedding"], "?", "no float32 in base64", id="no base64"),
        pytest.param([*FIRST_WINDOW, "embedding"], "AAAA", "no float32 in base64", id="three bytes"),
        pytest.param([*FIRST_WINDOW, "embedding"], "AAAAAA==", "has not 3 numbers", id="one number"),
    ],
)
def test_what_no_proof_says_is_told_even_if_its_checksum_is_right(
    path: Path, steps: list[str | int], value: Any, told: str
) -> None:
    forge(path, path, steps, value)
    with pytest.raises(OpenL3Error, match=f"is not as a proof is written: .*{told}"):
        read_proof(path)
