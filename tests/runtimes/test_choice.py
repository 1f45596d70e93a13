"""Which runtime and device a network gets, on machines with and without a GPU or OpenVINO."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.runtimes import choice, tensorflow
from l3embed.runtimes.base import Placement
from l3embed.runtimes.choice import choose_runtime
from l3embed.variants import AudioVariant, Device, Frontend, ImageVariant, Precision, Runtime

AUDIO = AudioVariant()
IN_GRAPH = AudioVariant(frontend=Frontend.KAPRE_GRAPH)

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Say what the machine has: by default a processor, and OpenVINO for it."""

    def has(
        *, gpu: bool = False, gpu_works: bool = False, openvino: bool = True, bfloat16: bool = True
    ) -> None:
        for module in (choice, tensorflow):
            monkeypatch.setattr(module, "has_gpu", lambda: gpu_works)
        monkeypatch.setattr(choice, "may_have_gpu", lambda: gpu)
        monkeypatch.setattr(choice, "has_openvino", lambda: openvino)
        monkeypatch.setattr(tensorflow, "has_bfloat16", lambda: bfloat16)

    has()
    return has


def test_the_cpu_s_is_openvino(machine: Machine) -> None:
    assert choose_runtime(AUDIO, Placement()) == (Runtime.OPENVINO, Device.CPU)


def test_images_run_where_audio_does(machine: Machine) -> None:
    assert choose_runtime(ImageVariant(), Placement()) == (Runtime.OPENVINO, Device.CPU)


def test_a_gpu_s_is_keras(machine: Machine) -> None:
    machine(gpu=True, gpu_works=True)

    assert choose_runtime(AUDIO, Placement()) == (Runtime.KERAS, Device.GPU)


def test_without_openvino_it_is_keras_on_the_cpu(machine: Machine) -> None:
    machine(openvino=False)

    assert choose_runtime(AUDIO, Placement()) == (Runtime.KERAS, Device.CPU)


def test_kapre_in_the_graph_runs_in_keras_alone(machine: Machine) -> None:
    assert choose_runtime(IN_GRAPH, Placement(device=Device.CPU)) == (Runtime.KERAS, Device.CPU)


def test_the_cpu_can_be_chosen_beside_a_gpu(machine: Machine) -> None:
    machine(gpu=True, gpu_works=True)

    assert choose_runtime(AUDIO, Placement(device=Device.CPU)) == (Runtime.OPENVINO, Device.CPU)


def test_keras_can_be_chosen_on_the_cpu(machine: Machine) -> None:
    placement = Placement(device=Device.CPU, runtime=Runtime.KERAS)

    assert choose_runtime(AUDIO, placement) == (Runtime.KERAS, Device.CPU)


def test_openvino_can_be_chosen_beside_a_gpu(machine: Machine) -> None:
    machine(gpu=True, gpu_works=True)

    assert choose_runtime(AUDIO, Placement(runtime=Runtime.OPENVINO)) == (Runtime.OPENVINO, Device.CPU)


def test_a_gpu_that_tensorflow_does_not_find_is_told_of(machine: Machine) -> None:
    machine(gpu=True, gpu_works=False)

    with pytest.warns(OpenL3Warning, match=r"There is a GPU, and TensorFlow does not find it.*and-cuda"):
        chosen = choose_runtime(AUDIO, Placement())

    assert chosen == (Runtime.OPENVINO, Device.CPU)


@pytest.mark.parametrize("gpu", [False, True], ids=["no GPU", "GPU, CPU chosen"])
def test_without_need_nothing_is_told(gpu: bool, machine: Machine) -> None:
    machine(gpu=gpu, gpu_works=False)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose_runtime(AUDIO, Placement(device=Device.CPU if gpu else Device.AUTO))


def test_tensorflow_is_not_asked_where_there_is_no_gpu(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes seconds to import."""

    def ask() -> bool:
        raise AssertionError("TensorFlow was asked for a GPU")

    monkeypatch.setattr(choice, "has_gpu", ask)
    monkeypatch.setattr(tensorflow, "has_gpu", ask)

    assert choose_runtime(AUDIO, Placement())[0] is Runtime.OPENVINO


@pytest.mark.parametrize(
    ("variant", "placement", "message"),
    [
        pytest.param(
            AUDIO,
            Placement(device=Device.GPU, runtime=Runtime.OPENVINO),
            "runtime openvino is for the CPU; got device gpu. Use runtime keras or auto",
            id="openvino on a GPU",
        ),
        pytest.param(
            IN_GRAPH,
            Placement(runtime=Runtime.OPENVINO),
            "frontend kapre_graph .* got runtime openvino. Use frontend kapre, or runtime keras",
            id="kapre_graph in openvino",
        ),
        pytest.param(
            AudioVariant(precision=Precision.TF32),
            Placement(runtime=Runtime.OPENVINO),
            "precision tf32 is NVIDIA GPUs' alone; got runtime openvino",
            id="tf32 in openvino",
        ),
        pytest.param(
            AudioVariant(precision=Precision.TF32),
            Placement(),
            "precision tf32 is NVIDIA GPUs' alone. On the CPU use float32 or bfloat16",
            id="tf32 on the CPU",
        ),
        pytest.param(
            AUDIO,
            Placement(device=Device.GPU),
            "device is gpu, and TensorFlow finds none",
            id="a GPU that is not there",
        ),
    ],
)
def test_what_does_not_go_together_is_an_error(
    variant: AudioVariant, placement: Placement, message: str, machine: Machine
) -> None:
    with pytest.raises(OpenL3Error, match=message):
        choose_runtime(variant, placement)


def test_openvino_that_is_not_installed_is_an_error_that_tells_how_to_install_it(machine: Machine) -> None:
    machine(openvino=False)

    with pytest.raises(OpenL3Error, match="not installed: pip install openvino"):
        choose_runtime(AUDIO, Placement(runtime=Runtime.OPENVINO))


@pytest.mark.parametrize("runtime", [Runtime.OPENVINO, Runtime.KERAS], ids=lambda choice: choice.value)
def test_bfloat16_is_refused_where_the_processor_would_emulate_it(runtime: Runtime, machine: Machine) -> None:
    machine(bfloat16=False)

    with pytest.raises(OpenL3Error, match=r"no instructions for bfloat16 .* Use precision float32"):
        choose_runtime(
            AudioVariant(precision=Precision.BFLOAT16), Placement(device=Device.CPU, runtime=runtime)
        )
