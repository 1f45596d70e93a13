"""Engines are known by their names, and what they lack is named."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from l3embed.app.engine_settings import EngineSettings
from l3embed.engines.contract import EngineOptions
from l3embed.engines.engine_table import ENGINES, batch_engine, check_engine
from l3embed.engines.ray_data import check_answers
from l3embed.errors import OpenL3Error

CONF = Path(__file__).parents[2] / "src" / "l3embed" / "conf" / "engine"


def test_every_engine_has_its_file_of_settings() -> None:
    assert {path.stem for path in CONF.glob("*.yaml")} == set(ENGINES)


def test_an_engine_that_is_not_there_is_refused() -> None:
    with pytest.raises(OpenL3Error, match=r"engine\.name must be one of local, ray, slurm; got 'dask'"):
        check_engine("engine.name", "dask")


@pytest.mark.parametrize(("name", "extra"), [("ray", "ray"), ("slurm", "slurm")])
def test_a_package_that_is_missing_is_named_with_its_command(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(OpenL3Error, match=rf"not installed: pip install 'l3embed\[{extra}\]'"):
        EngineSettings(name=name)


def test_a_stage_alone_is_not_given_to_slurm() -> None:
    with pytest.raises(OpenL3Error, match=r"Run 'l3embed-pipeline engine=slurm \.\.\.' first"):
        batch_engine("slurm", EngineOptions())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            {"num_cpus": 0},
            r"engine\.num_cpus must be a number from 0\.01 to 1, or a whole number above; got 0",
        ),
        ({"num_gpus": 1.5}, r"engine\.num_gpus must be a number .* got 1\.5"),
        ({"actors": 0}, r"engine\.actors must be .* got 0"),
        ({"shards": 0}, r"engine\.shards must be .* got 0"),
        ({"executor": "pbs"}, r"engine\.executor must be one of slurm, local; got 'pbs'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_settings_are_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(OpenL3Error, match=words):
        EngineSettings(**wrong)


def test_settings_that_are_left_open_are_not_asked_of_slurm() -> None:
    job = {"timeout_min": 5, "slurm_partition": None}
    assert EngineSettings(job=job).parse().job == (("timeout_min", 5),)


def test_a_cluster_that_does_not_answer_is_named_at_once() -> None:
    with socket.socket() as bound:  # and not listening: nobody else gets the port
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(OpenL3Error, match=rf"not be reached .* {address}: .*refused.*ray start"):
            check_answers(address)
