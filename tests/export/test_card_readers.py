"""An export's card in the programs that it is for: mlcroissant, Hugging Face datasets and its Hub's library.

With ``L3EMBED_CLIENTS=1`` a virtual environment is made for those that are not installed.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import run_child
from interfaces.client import BESIDE_OUR_PINS, Client

from l3embed.export.formats import Dtype, RowLayout, Rows

from .carded import FAILED, PICTURES, carded, exported
from .conftest import EMBEDDINGS, INPUTS, Array
from .test_card import STATED

READER = Path(__file__).with_name("card_reader.py")
PACKAGES = ("mlcroissant", "datasets")
IS_WANTED = os.environ.get("L3EMBED_CLIENTS") == "1"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has what can be had here."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if not missing or not IS_WANTED:
        return Path(sys.executable)
    return Client(tmp_path_factory.mktemp("readers"), [*BESIDE_OUR_PINS, *missing]).python


def read(python: Path, export: Path, package: str) -> dict[str, Array]:
    """Read an export by its card, without any network."""
    if package in PACKAGES and find_spec(package) is None and not IS_WANTED:
        pytest.skip(f"{package} is not installed; L3EMBED_CLIENTS=1 installs it")
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(export.parent / "hugging_face")}
    run_child([python, READER, package], cwd=export, env={**os.environ, **offline})
    with np.load(export.parent / f"{package}.npz") as arrays:
        return dict(arrays)


def expected_paths() -> list[str]:
    return [row.path for row in INPUTS for _ in range(row.frames)]


@pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)
@pytest.mark.usefixtures("small_parts")
def test_mlcroissant_loads_all_records(python: Path, tmp_path: Path, dtype: Dtype) -> None:
    found = read(python, carded(exported(tmp_path, RowLayout(dtype=dtype))), "mlcroissant")
    expected = np.concatenate(EMBEDDINGS).astype(dtype.value)
    assert found["audio_embedding"].dtype == expected.dtype
    np.testing.assert_array_equal(found["audio_embedding"], expected)
    np.testing.assert_array_equal(found["image_embedding"], PICTURES.astype(dtype.value))
    assert found["audio_path"].tolist() == expected_paths()
    assert found["failed"].tolist() == [FAILED.path]


@pytest.mark.parametrize(("is_stated", "warnings"), [(True, 0), (False, 4)], ids=["stated", "not stated"])
def test_mlcroissant_s_command_finds_it_valid(
    python: Path, tmp_path: Path, is_stated: bool, warnings: int
) -> None:
    """What it warns of is what nobody has stated."""
    if find_spec("mlcroissant") is None and not IS_WANTED:
        pytest.skip("mlcroissant is not installed; L3EMBED_CLIENTS=1 installs it")
    export = exported(tmp_path)
    carded(export, STATED) if is_stated else carded(export)
    command: list[str | Path] = [
        python,
        "-m",
        "mlcroissant.scripts.validate",
        "--jsonld",
        export / "croissant.json",
    ]
    said = run_child(command).stderr
    assert said.rstrip().endswith("Done.")
    assert said.count(" is recommended, but does not exist") == warnings
    assert "not standard" not in said


@pytest.mark.usefixtures("small_parts")
def test_datasets_loads_all_rows(python: Path, tmp_path: Path) -> None:
    found = read(python, carded(exported(tmp_path)), "datasets")
    np.testing.assert_array_equal(found["audio_embedding"], np.concatenate(EMBEDDINGS))
    np.testing.assert_array_equal(found["image_embedding"], PICTURES)
    np.testing.assert_array_equal(found["unasked"], found["audio_embedding"])
    assert found["audio_path"].tolist() == expected_paths()


@pytest.mark.parametrize("rows", Rows, ids=lambda rows: rows.value)
def test_the_programs_of_the_card_give_the_embeddings(python: Path, tmp_path: Path, rows: Rows) -> None:
    found = read(python, carded(exported(tmp_path, RowLayout(rows))), "snippets")
    expected = np.concatenate(
        EMBEDDINGS if rows is Rows.FRAMES else [frames.mean(axis=0, keepdims=True) for frames in EMBEDDINGS]
    )
    assert {"pandas", "l3embed"} <= set(found) <= {"pandas", "l3embed", *PACKAGES}
    for package, embeddings in found.items():
        wanted = expected[0] if package == "mlcroissant" else expected  # which gives one record
        np.testing.assert_allclose(embeddings, wanted, rtol=1e-6)


def test_the_hub_s_library_reads_the_card(tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.DatasetCard.load(carded(exported(tmp_path), STATED) / "README.md")
    assert isinstance(card.data, hub.DatasetCardData)
    assert (card.data.pretty_name, card.data.license) == (STATED.title, "cc-by-4.0")
    assert card.data.size_categories == ["n<1K"]
    assert card.data.tags == ["audio", "image", "embeddings", "openl3", "l3embed"]
    assert [config["config_name"] for config in card.data.configs] == ["audio", "image"]
