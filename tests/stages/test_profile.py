"""``profile=true``: the stages' metrics tell how long each phase took."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from l3embed.app.params import compose_params
from l3embed.app.pipeline import run_stage
from l3embed.app.settings import parse_settings
from l3embed.stages.network import ChosenNetwork
from l3embed.stages.output_folder import Layout

from . import standin
from .conftest import REPOSITORY, write_audio

STAGES = ("preprocess", "embed", "export")


def run_stages(folder: Path, *overrides: str) -> dict[str, dict[str, Any]]:
    """Run the stages on one recording, and return the metrics of each."""
    write_audio(folder / "sounds" / "a.wav", seconds=3, sample_rate_hz=44_100)
    dataset = ("dataset=folder", f"dataset.path={folder / 'sounds'}", "dataset.modality=audio")
    params = compose_params(REPOSITORY / "conf", (*dataset, "model.input_repr=mel128", *overrides))
    settings = parse_settings(OmegaConf.create(params))
    layout = Layout(folder / "data")
    standin.write_weights(layout.folder("weights"))
    for stage in STAGES:
        run_stage(stage, settings, layout)
    return {stage: json.loads(layout.metrics_of(stage).read_text()) for stage in STAGES}


@pytest.fixture
def quick_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChosenNetwork, "load", standin.load)


@pytest.mark.usefixtures("store_folder", "quick_networks")
def test_metrics_tell_of_phases_if_they_are_asked_to(tmp_path: Path) -> None:
    metrics = run_stages(tmp_path, "profile=true")

    assert set(metrics["preprocess"]["profile"]) == {"decode", "resample", "write"}
    assert set(metrics["embed"]["profile"]) == {"decode", "network", "write", "idle", "network_busy"}
    assert "profile" not in metrics["export"]  # has none of the phases


@pytest.mark.usefixtures("store_folder", "quick_networks")
def test_the_network_s_share_is_of_the_whole_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(standin.PAUSE_VARIABLE, "0.01")  # seconds a window

    embed = run_stages(tmp_path, "profile=true")["embed"]

    windows_s = 0.01 * embed["computed"] * 26
    assert embed["profile"]["network"] >= windows_s
    assert embed["profile"]["network_busy"] == pytest.approx(
        embed["profile"]["network"] / embed["seconds"], rel=0.05
    )


@pytest.mark.usefixtures("store_folder", "quick_networks")
def test_without_it_metrics_are_as_before(tmp_path: Path) -> None:
    assert not any("profile" in figures for figures in run_stages(tmp_path).values())
