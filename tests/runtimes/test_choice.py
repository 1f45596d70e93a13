"""Which runtime and device a network gets, on machines with and without a GPU, ncnn or OpenVINO."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.runtimes import keras, openvino, processor, pytorch, tensorflow
from l3embed.runtimes.base import GpuRuntime, ModelRuntime, Placement, Runtime
from l3embed.runtimes.choice import RUNTIMES, Row, choose_runtime, parse_runtime, runtime_names
from l3embed.variants import AudioVariant, Device, Frontend, ImageVariant, Precision

AUDIO = AudioVariant()
IN_GRAPH = AudioVariant(frontend=Frontend.KAPRE_GRAPH)
INT8 = AudioVariant(precision=Precision.INT8)

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Say what the machine has: by default a processor, and all runtimes for it but PyTorch.

    With a GPU, `torch` says whether PyTorch is installed, and `gpu_works` whether frameworks find the GPU.
    """

    def has(
        *,
        gpu: bool = False,
        gpu_works: bool = False,
        missing: Sequence[str] = (),
        torch: bool = False,
        bfloat16: bool = True,
        int8: bool = True,
    ) -> None:
        not_there = {*missing, *(() if torch else ("torch",))}
        for module in (keras, pytorch, tensorflow):
            monkeypatch.setattr(module, "has_gpu", lambda: gpu_works)
        monkeypatch.setattr(pytorch, "cuda_devices", lambda: int(gpu))
        monkeypatch.setattr(pytorch, "_is_for_rocm", lambda: False)
        monkeypatch.setattr(pytorch, "gpu_capability", lambda: (9, 0))
        monkeypatch.setattr(tensorflow, "may_have_gpu", lambda: gpu)
        installed = property(lambda row: row.requires not in not_there)
        monkeypatch.setattr(Row, "is_installed", installed)
        monkeypatch.setattr(processor, "has_bfloat16", lambda: bfloat16)
        monkeypatch.setattr(processor, "has_int8", lambda: int8)
        monkeypatch.setattr(openvino, "quantization_fault", lambda variant: "")

    has()
    return has


def test_a_runtime_that_is_none_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(
        OpenL3Error, match=r"^runtime must be one of auto, keras, ncnn, openvino, torch; got 'onnx'\.$"
    ):
        parse_runtime("runtime", "onnx")


def test_each_runtime_has_its_settings() -> None:
    files = (Path(__file__).parents[2] / "src" / "l3embed" / "conf" / "runtime").glob("*.yaml")
    assert {file.stem for file in files} == set(runtime_names())


@pytest.mark.parametrize("row", RUNTIMES.values(), ids=list(RUNTIMES))
def test_each_runtime_s_module_keeps_the_contract(row: Row) -> None:
    contracts = {Runtime: True, GpuRuntime: row.uses_gpu, ModelRuntime: row.runs_models}
    for contract in (contract for contract, is_kept in contracts.items() if is_kept):
        for name, promised in inspect.getmembers(contract, inspect.isfunction):
            if not name.startswith("_"):
                _, *parameters = inspect.signature(promised).parameters
                assert list(inspect.signature(getattr(row.load(), name)).parameters) == parameters


@pytest.mark.parametrize("variant", [AUDIO, ImageVariant()], ids=["audio", "image"])
@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ((), "ncnn"),
        (("ncnn",), "openvino"),
        (("openvino",), "ncnn"),
        (("tensorflow",), "ncnn"),
        (("ncnn", "openvino"), "keras"),
        (("ncnn", "tensorflow"), "openvino"),
        (("openvino", "tensorflow"), "ncnn"),
    ],
    ids=lambda value: value if isinstance(value, str) else " and ".join(value) or "none",
)
def test_the_cpu_s_is_the_first_of_the_table_that_is_installed(
    missing: tuple[str, ...], expected: str, variant: AudioVariant | ImageVariant, machine: Machine
) -> None:
    machine(missing=missing)

    assert choose_runtime(variant, Placement()) == (expected, Device.CPU)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ((), "openvino"),
        (("ncnn",), "openvino"),
        (("openvino",), "keras"),
        (("ncnn", "openvino"), "keras"),
    ],
    ids=lambda value: value if isinstance(value, str) else " and ".join(value) or "none",
)
def test_bfloat16_s_on_the_cpu_is_openvino(missing: tuple[str, ...], expected: str, machine: Machine) -> None:
    machine(missing=missing)

    chosen = choose_runtime(AudioVariant(precision=Precision.BFLOAT16), Placement(device=Device.CPU))

    assert chosen == (expected, Device.CPU)


@pytest.mark.parametrize("gpu", [False, True], ids=["no GPU", "beside a GPU"])
def test_int8_s_is_openvino_on_the_cpu(gpu: bool, machine: Machine) -> None:
    machine(gpu=gpu, gpu_works=gpu, torch=gpu)

    assert choose_runtime(INT8, Placement()) == ("openvino", Device.CPU)


@pytest.mark.parametrize("placement", [Placement(), Placement(runtime="openvino")], ids=["auto", "openvino"])
def test_int8_is_refused_where_the_processor_has_no_instructions_for_it(
    placement: Placement, machine: Machine
) -> None:
    machine(int8=False)

    with pytest.raises(OpenL3Error, match=r"no instructions for .* int8 .* Use precision float32"):
        choose_runtime(INT8, placement)


def test_where_no_runtime_is_installed_the_last_one_is_told_how_to_be_had(machine: Machine) -> None:
    machine(missing=("ncnn", "openvino", "tensorflow"))

    with pytest.raises(OpenL3Error, match="not installed: pip install tensorflow"):
        choose_runtime(AUDIO, Placement())


@pytest.mark.parametrize(("torch", "expected"), [(True, "torch"), (False, "keras")])
def test_a_gpu_s_is_torch_if_it_is_installed_and_else_keras(
    torch: bool, expected: str, machine: Machine
) -> None:
    machine(gpu=True, gpu_works=True, torch=torch)

    assert choose_runtime(AUDIO, Placement()) == (expected, Device.GPU)
    assert choose_runtime(AUDIO, Placement(device=Device.GPU)) == (expected, Device.GPU)


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        (("torch",), ("keras", Device.GPU)),
        (("torch", "keras"), ("ncnn", Device.CPU)),
        (("torch", "keras", "ncnn"), ("openvino", Device.CPU)),
    ],
    ids=" and ".join,
)
def test_what_is_left_out_is_followed_by_the_next(
    without: tuple[str, ...], expected: tuple[str, Device], machine: Machine
) -> None:
    machine(gpu=True, gpu_works=True, torch=True)

    assert choose_runtime(AUDIO, Placement(), without) == expected


def test_where_all_but_pytorch_are_left_out_the_cpu_has_none(machine: Machine) -> None:
    machine(torch=True)

    with pytest.raises(OpenL3Error, match=r"Of the runtimes ncnn, openvino, keras none is left"):
        choose_runtime(AUDIO, Placement(), without=("ncnn", "openvino", "keras"))


def test_a_gpu_that_pytorch_does_not_find_is_keras_s(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch may be a build for the CPU."""
    machine(gpu=True, gpu_works=True, torch=True)
    monkeypatch.setattr(pytorch, "has_gpu", lambda: False)

    assert choose_runtime(AUDIO, Placement()) == ("keras", Device.GPU)
    assert choose_runtime(AUDIO, Placement(device=Device.GPU)) == ("keras", Device.GPU)


def test_tensorflow_is_not_asked_where_pytorch_finds_the_gpu(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(gpu=True, gpu_works=True, torch=True)
    monkeypatch.setattr(keras, "works_on_gpu", lambda: pytest.fail("TensorFlow was asked for a GPU"))

    assert choose_runtime(AUDIO, Placement()) == ("torch", Device.GPU)


def test_pytorch_is_not_taken_on_the_cpu(machine: Machine) -> None:
    machine(missing=("ncnn", "openvino"), torch=True)

    assert choose_runtime(AUDIO, Placement()) == ("keras", Device.CPU)
    assert choose_runtime(IN_GRAPH, Placement()) == ("keras", Device.CPU)


def test_pytorch_can_be_chosen_on_the_cpu(machine: Machine) -> None:
    machine(torch=True)

    for variant in (AUDIO, IN_GRAPH, ImageVariant()):
        assert choose_runtime(variant, Placement(runtime="torch")) == ("torch", Device.CPU)


def test_an_old_gpu_s_precision_is_an_error(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(gpu=True, gpu_works=True, torch=True)
    monkeypatch.setattr(pytorch, "gpu_capability", lambda: (7, 5))

    with pytest.raises(
        OpenL3Error, match=r"precision tf32 needs a GPU of compute capability 8\.0 .* has 7\.5"
    ):
        choose_runtime(AudioVariant(precision=Precision.TF32), Placement())


def test_a_gpu_without_tensorflow_is_not_used(machine: Machine) -> None:
    machine(gpu=True, gpu_works=True, missing=("tensorflow",))

    assert choose_runtime(AUDIO, Placement()) == ("ncnn", Device.CPU)


def test_kapre_in_the_graph_runs_in_keras_on_the_cpu(machine: Machine) -> None:
    assert choose_runtime(IN_GRAPH, Placement(device=Device.CPU)) == ("keras", Device.CPU)


def test_the_cpu_can_be_chosen_beside_a_gpu(machine: Machine) -> None:
    machine(gpu=True, gpu_works=True)

    assert choose_runtime(AUDIO, Placement(device=Device.CPU)) == ("ncnn", Device.CPU)


def test_keras_can_be_chosen_on_the_cpu(machine: Machine) -> None:
    placement = Placement(device=Device.CPU, runtime="keras")

    assert choose_runtime(AUDIO, placement) == ("keras", Device.CPU)


@pytest.mark.parametrize("runtime", ["ncnn", "openvino"])
def test_the_cpu_s_runtimes_can_be_chosen_beside_a_gpu(runtime: str, machine: Machine) -> None:
    machine(gpu=True, gpu_works=True)

    assert choose_runtime(AUDIO, Placement(runtime=runtime)) == (runtime, Device.CPU)


def test_a_gpu_that_tensorflow_does_not_find_is_told_of(machine: Machine) -> None:
    machine(gpu=True, gpu_works=False)

    with pytest.warns(
        OpenL3Warning,
        match=r"There is a GPU, and TensorFlow does not find it.*l3embed\[torch\]' or .*and-cuda",
    ):
        chosen = choose_runtime(AUDIO, Placement())

    assert chosen == ("ncnn", Device.CPU)


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

    monkeypatch.setattr(keras, "has_gpu", ask)
    monkeypatch.setattr(tensorflow, "has_gpu", ask)

    assert choose_runtime(AUDIO, Placement())[0] == "ncnn"


@pytest.mark.parametrize(
    ("variant", "placement", "message"),
    [
        pytest.param(
            AUDIO,
            Placement(device=Device.GPU, runtime="openvino"),
            "runtime openvino is for the CPU; got device gpu. Use runtime torch or keras or auto",
            id="openvino on a GPU",
        ),
        pytest.param(
            AUDIO,
            Placement(device=Device.GPU, runtime="ncnn"),
            "runtime ncnn is for the CPU; got device gpu. Use runtime torch or keras or auto",
            id="ncnn on a GPU",
        ),
        pytest.param(
            AudioVariant(precision=Precision.BFLOAT16),
            Placement(runtime="ncnn"),
            "precision bfloat16 runs in OpenVINO, PyTorch or Keras; got runtime ncnn, .* Use .* float32, or",
            id="bfloat16 in ncnn",
        ),
        pytest.param(
            AudioVariant(precision=Precision.TF32),
            Placement(runtime="ncnn"),
            "precision tf32 runs in PyTorch or Keras on NVIDIA GPUs; got runtime ncnn",
            id="tf32 in ncnn",
        ),
        pytest.param(
            IN_GRAPH,
            Placement(runtime="openvino"),
            "frontend kapre_graph .* got runtime openvino. Use frontend kapre, or runtime torch or keras",
            id="kapre_graph in openvino",
        ),
        pytest.param(
            AudioVariant(precision=Precision.TF32),
            Placement(runtime="openvino"),
            "precision tf32 is NVIDIA GPUs' alone; got runtime openvino",
            id="tf32 in openvino",
        ),
        pytest.param(
            AudioVariant(precision=Precision.FLOAT16),
            Placement(),
            "precision float16 is GPUs' alone, in runtime torch. On the CPU use float32 or bfloat16",
            id="float16 on the CPU",
        ),
        pytest.param(
            AudioVariant(precision=Precision.FLOAT16),
            Placement(runtime="ncnn"),
            "precision float16 runs in PyTorch on GPUs; got runtime ncnn",
            id="float16 in ncnn",
        ),
        pytest.param(
            AudioVariant(precision=Precision.TF32),
            Placement(),
            "precision tf32 is NVIDIA GPUs' alone. On the CPU use float32 or bfloat16",
            id="tf32 on the CPU",
        ),
        pytest.param(
            INT8,
            Placement(runtime="ncnn"),
            "precision int8 is the CPU's, in runtime openvino; got runtime ncnn and device auto",
            id="int8 in ncnn",
        ),
        pytest.param(
            INT8,
            Placement(runtime="keras"),
            "precision int8 is the CPU's, in runtime openvino; got runtime keras",
            id="int8 in keras",
        ),
        pytest.param(
            INT8,
            Placement(device=Device.GPU),
            "precision int8 is the CPU's, .* device gpu. Use runtime openvino or auto, and device cpu",
            id="int8 on a GPU",
        ),
        pytest.param(
            AUDIO,
            Placement(device=Device.GPU),
            "device is gpu, and TensorFlow finds none",
            id="a GPU that is not there",
        ),
        pytest.param(
            AUDIO,
            Placement(device=Device.CPU, runtime="torch"),
            "runtime is torch, which is not installed: pip install torch",
            id="torch that is not installed",
        ),
    ],
)
def test_what_does_not_go_together_is_an_error(
    variant: AudioVariant, placement: Placement, message: str, machine: Machine
) -> None:
    with pytest.raises(OpenL3Error, match=message):
        choose_runtime(variant, placement)


@pytest.mark.parametrize("runtime", ["ncnn", "openvino"])
def test_a_runtime_that_is_not_installed_is_an_error_that_tells_how_to_install_it(
    runtime: str, machine: Machine
) -> None:
    machine(missing=(runtime,))

    with pytest.raises(OpenL3Error, match=f"not installed: pip install {runtime}"):
        choose_runtime(AUDIO, Placement(runtime=runtime))


@pytest.mark.parametrize("runtime", ["openvino", "keras"])
def test_bfloat16_is_refused_where_the_processor_would_emulate_it(runtime: str, machine: Machine) -> None:
    machine(bfloat16=False)

    with pytest.raises(OpenL3Error, match=r"no instructions for bfloat16 .* Use precision float32"):
        choose_runtime(
            AudioVariant(precision=Precision.BFLOAT16), Placement(device=Device.CPU, runtime=runtime)
        )
