"""The page on moving from openl3 has every name, argument and flag, of openl3 0.4.2 and of ours."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import l3embed
from l3embed.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "migrate.md"

OPENL3: dict[str, str] = {
    "get_audio_embedding": "audio sr model input_repr content_type embedding_size center hop_size batch_size "
    "frontend verbose",
    "get_image_embedding": "image frame_rate model input_repr content_type embedding_size batch_size verbose",
    "get_output_path": "filepath suffix output_dir",
    "preprocess_audio": "audio sr hop_size input_repr center kw",
    "process_audio_file": "filepath output_dir suffix model input_repr content_type embedding_size center "
    "hop_size batch_size overwrite frontend verbose",
    "process_image_file": "filepath output_dir suffix model input_repr content_type embedding_size "
    "batch_size overwrite verbose",
    "process_video_file": "filepath output_dir suffix audio_model image_model input_repr content_type "
    "audio_embedding_size audio_center audio_hop_size image_embedding_size audio_batch_size image_batch_size "
    "audio_frontend overwrite verbose",
    "models.get_audio_embedding_model_path": "input_repr content_type",
    "models.get_image_embedding_model_path": "input_repr content_type",
    "models.kapre_v0_1_4_magnitude_to_decibel": "x ref_value amin dynamic_range",
    "models.load_audio_embedding_model": "input_repr content_type embedding_size frontend",
    "models.load_audio_embedding_model_from_path": "model_path input_repr embedding_size frontend",
    "models.load_image_embedding_model": "input_repr content_type embedding_size",
    "models.load_image_embedding_model_from_path": "model_path embedding_size",
}
"""Functions and arguments, in order. Source: openl3 0.4.2's documentation, section 3.1."""

OPENL3_FLAGS = (
    "-h --help -o --output-dir --output -x --suffix -i --input-repr -c --content-type -as "
    "--audio-embedding-size -is --image-embedding-size --embedding-size -n --no-audio-centering -t "
    "--audio-hop-size -ab --audio-batch-size -ib --image-batch-size -af --audio-frontend -ow --overwrite "
    "-q --quiet"
)
"""Source: the documentation, section 2.3, and openl3 0.4.2's own help."""

COMMANDS = ("audio", "image", "video")


def tables() -> dict[str, list[tuple[list[str], list[str]]]]:
    """Return, by the words of the first heading cell, what the first two cells of each row have in code."""
    found: defaultdict[str, list[tuple[list[str], list[str]]]] = defaultdict(list)
    heading = ""
    before: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and set(cells[0]) == {"-"}:
            heading = before[0]
        elif len(cells) > 1 and heading:
            code = [re.findall(r"`([^`]+)`", cell) for cell in cells[:2]]
            found[heading].append((code[0], code[1]))
        if not cells:
            heading = ""
        before = cells
    return found


def pairs(heading: str) -> set[tuple[str, str]]:
    """Return each name of the first cells with each of the second."""
    return {(name, of) for names, ofs in tables()[heading] for name in names for of in ofs}


def short(function: str) -> str:
    return function.removeprefix("models.")


def ours(function: str) -> Callable[..., Any]:
    found: Any = l3embed
    for name in function.split("."):
        found = getattr(found, name)
    assert callable(found)
    return found


def flags_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """Return the flags that a command's help names."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = re.findall(r"^  (-.+?)(?:  |$)", capsys.readouterr().out, flags=re.M)
    return {flag for option in options for flag in re.findall(r"(?:^|(?<=, ))--?[a-z-]+", option)}


def test_every_function_of_openl3_has_its_row() -> None:
    listed = [names[0] for names, _ in tables()["function of openl3"]]
    assert listed == [f"openl3.{function}" for function in OPENL3]


def test_every_argument_of_openl3_and_of_ours_has_its_row() -> None:
    documented = {
        (argument, short(function)) for function, names in OPENL3.items() for argument in names.split()
    }
    present = {
        (argument, short(function))
        for function in OPENL3
        for argument in inspect.signature(ours(function)).parameters
    }
    # One that openl3's tutorial passes, and its reference lacks.
    assert documented | present == pairs("argument")
    assert documented <= present


@pytest.mark.parametrize("function", OPENL3)
def test_arguments_have_openl3_s_places(function: str) -> None:
    names = OPENL3[function].split()
    assert list(inspect.signature(ours(function)).parameters)[: len(names)] == names


@pytest.mark.parametrize("function", OPENL3)
def test_new_arguments_are_passed_by_name_alone(function: str) -> None:
    added = list(inspect.signature(ours(function)).parameters.values())[len(OPENL3[function].split()) :]
    assert {each.kind for each in added} <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_of_a_command_has_its_row(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {flag for flag, of in pairs("flag") if of == command and flag.startswith("-")}
    assert listed == flags_of(command, capsys)


def test_every_flag_of_openl3_has_its_row() -> None:
    assert set(OPENL3_FLAGS.split()) <= {flag for flag, _ in pairs("flag")}
