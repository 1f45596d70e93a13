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
from l3embed.models.running import Network
from l3embed.runtimes.base import Placement
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


class Clock:
    """Stands in for `time.perf_counter`; it goes on when it is told to."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        return self._now_s

    def go_on(self, seconds: float) -> None:
        self._now_s += seconds


@pytest.fixture
def quick_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChosenNetwork, "load", standin.load)


@pytest.mark.usefixtures("store_folder", "quick_networks")
def test_metrics_tell_of_phases_if_they_are_asked_to(tmp_path: Path) -> None:
    metrics = run_stages(tmp_path, "profile=true")

    assert set(metrics["preprocess"]["profile"]) == {"decode", "resample", "write"}
    assert set(metrics["embed"]["profile"]) == {"decode", "network", "write", "idle", "network_busy"}
    assert "profile" not in metrics["export"]  # has none of the phases


@pytest.mark.usefixtures("store_folder")
def test_the_network_s_share_is_of_the_whole_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def load(network: ChosenNetwork, placement: Placement) -> Network:
        clock.go_on(0.39)
        return standin.load(network, placement)

    monkeypatch.setattr("time.perf_counter", clock)
    monkeypatch.setattr(ChosenNetwork, "load", load)
    monkeypatch.setattr(standin, "pause", lambda windows: clock.go_on(0.01 * windows))

    embed = run_stages(tmp_path, "profile=true")["embed"]

    assert embed["profile"]["network"] == 0.26  # of 26 windows
    assert embed["profile"]["network_busy"] == 0.4
    assert embed["seconds"] == 0.65


@pytest.mark.usefixtures("store_folder", "quick_networks")
def test_without_it_metrics_are_as_before(tmp_path: Path) -> None:
    assert not any("profile" in figures for figures in run_stages(tmp_path).values())
