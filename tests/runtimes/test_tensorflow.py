"""TensorFlow's devices and switches, on GPUs that are not there."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import run_child

from l3embed.errors import OpenL3Error, OpenL3Warning
from l3embed.runtimes import tensorflow
from l3embed.runtimes.tensorflow import (
    find_device,
    gpu_fault,
    may_have_gpu,
    prepare_tensorflow,
    tensor_float_32,
    use_threads,
)
from l3embed.variants import Device, Precision

Gpu = Callable[..., None]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """Let TensorFlow find a GPU of a compute capability; None: it does not say which."""
    tf = prepare_tensorflow()

    def is_there(capability: tuple[int, int] | None = (9, 0)) -> None:
        details: dict[str, Any] = {} if capability is None else {"compute_capability": capability}
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0"])
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)

    return is_there


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    tf = prepare_tensorflow()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])


def test_auto_is_the_gpu_where_there_is_one(gpu: Gpu) -> None:
    gpu()

    assert find_device(Device.AUTO) is Device.GPU


@pytest.mark.usefixtures("no_gpu")
def test_auto_is_else_the_cpu() -> None:
    assert find_device(Device.AUTO) is Device.CPU


@pytest.mark.usefixtures("no_gpu")
def test_a_gpu_that_is_not_there_is_an_error_that_tells_how_to_get_it() -> None:
    with pytest.raises(OpenL3Error, match=r"finds none\. Use cpu or auto, or .*tensorflow\[and-cuda\]"):
        find_device(Device.GPU)


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.TF32], ids=lambda choice: choice.value)
def test_an_older_gpu_computes_in_single_precision_alone(precision: Precision, gpu: Gpu) -> None:
    gpu((7, 5))

    expected = rf"precision {precision.value} needs a GPU of compute capability 8\.0.* has 7\.5"
    assert re.match(expected, gpu_fault(precision))


@pytest.mark.parametrize("capability", [(8, 0), (9, 0), (12, 1), None], ids=str)
@pytest.mark.parametrize(
    "precision", [Precision.FLOAT32, Precision.TF32, Precision.BFLOAT16], ids=lambda choice: choice.value
)
def test_a_later_gpu_computes_in_every_precision_of_tensorflow_s(
    precision: Precision, capability: tuple[int, int] | None, gpu: Gpu
) -> None:
    gpu(capability)

    assert not gpu_fault(precision)


def test_an_older_gpu_is_good_for_single_precision(gpu: Gpu) -> None:
    gpu((7, 5))

    assert not gpu_fault(Precision.FLOAT32)


def tf32_is_on() -> bool:
    config = prepare_tensorflow().config.experimental
    is_on: bool = config.tensor_float_32_execution_enabled()
    return is_on


@pytest.mark.parametrize(
    ("precision", "expected"),
    [(Precision.FLOAT32, False), (Precision.BFLOAT16, False), (Precision.TF32, True)],
    ids=lambda value: getattr(value, "value", ""),
)
def test_tf32_is_on_only_where_it_was_asked_for(precision: Precision, expected: bool) -> None:
    with tensor_float_32(precision):
        assert tf32_is_on() is expected
    assert not tf32_is_on()


def threads_after(code: str, **environment: str) -> int:
    """How many threads TensorFlow uses in a process of its own after some code."""
    program = (
        "from l3embed.runtimes.tensorflow import has_gpu, prepare_tensorflow, use_threads\n"
        f"{code}\nprint(prepare_tensorflow().config.threading.get_intra_op_parallelism_threads())"
    )
    done = run_child([sys.executable, "-c", program], env={**os.environ, **environment})
    return int(done.stdout)


def test_threads_can_still_be_chosen_after_tensorflow_has_looked_for_a_gpu() -> None:
    assert threads_after("has_gpu(); use_threads(3)") == 3


def test_all_threads_are_those_that_this_process_may_use() -> None:
    assert threads_after("", LOKY_MAX_CPU_COUNT="1") == 1


def test_the_environment_s_number_of_threads_is_obeyed() -> None:
    assert threads_after("use_threads(3)", TF_NUM_INTRAOP_THREADS="5") == 0  # TensorFlow reads it itself


def test_threads_that_come_too_late_are_told() -> None:
    import tensorflow as tf

    tf.zeros(1)

    with pytest.warns(OpenL3Warning, match="started with other threads, so that threads=63"):
        use_threads(63)


class Driver:
    """Stands in for NVIDIA's: its functions return 0 if all is well."""

    def __init__(self, gpus: int, *, status: int = 0) -> None:
        self._gpus, self._status = gpus, status

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return self._status

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = self._gpus
        return self._status


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        pytest.param(Driver(2), True, id="GPUs"),
        pytest.param(Driver(0), False, id="a driver without GPUs"),
        pytest.param(Driver(1, status=100), False, id="a driver that does not work"),
        pytest.param(SimpleNamespace(), False, id="another library of that name"),
        pytest.param(None, False, id="no driver"),
    ],
)
def test_a_gpu_is_looked_for_at_the_driver_s(
    driver: Any, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> Any:
        if driver is None:
            raise OSError(f"{name}: cannot open shared object file")
        return driver

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setattr(tensorflow, "_is_installed", lambda package: False)

    assert may_have_gpu() is expected


@pytest.mark.parametrize("package", ["tensorflow-metal", "tensorflow-rocm"])
def test_a_build_for_other_gpus_may_have_one(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorflow, "cuda_devices", lambda: 0)
    monkeypatch.setattr(tensorflow, "_is_installed", lambda name: name == package)

    assert may_have_gpu()
