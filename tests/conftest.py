"""What all tests share: no network, processes that are always ended, sounds, and a quick and exact model."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from l3embed.runtimes.choice import RUNTIMES
from l3embed.runtimes.processor import has_bfloat16
from l3embed.variants import ALL_WEIGHT_SETS, ContentType
from l3embed.verification import carried
from l3embed.weights.random import write_random_weights

REFERENCE_FOLDERS = (Path(__file__).parent / "data" / "reference", carried.REFERENCE)
"""Where the release's inputs and outputs lie; what the package carries lies there alone."""

PATIENCE_S = 600.0
"""Until what does not come is given up, so that nothing hangs for ever. How long anything takes decides
nothing: a machine may be as slow and as busy as it likes."""

TINY_SIZE = 4
SLIM_FILTERS = (4, 8, 8, 512)

NEEDS_OPENVINO = pytest.mark.skipif(not RUNTIMES["openvino"].is_installed, reason="OpenVINO is not installed")
NEEDS_NCNN = pytest.mark.skipif(not RUNTIMES["ncnn"].is_installed, reason="ncnn is not installed")
NEEDS_TORCH = pytest.mark.skipif(not RUNTIMES["torch"].is_installed, reason="PyTorch is not installed")
CPU_RUNTIMES = [name for name, row in RUNTIMES.items() if row.is_installed and row.is_quick_on_cpu]
"""What ``auto`` takes on the CPU in float32: the first that is right."""

CPU_RUNTIME = CPU_RUNTIMES[0]
OTHER_RUNTIMES = [name for name, row in RUNTIMES.items() if row.is_installed and name != CPU_RUNTIME]

EACH_RUNTIME = pytest.mark.parametrize(
    "runtime",
    [
        pytest.param("ncnn", marks=NEEDS_NCNN),
        pytest.param("openvino", marks=NEEDS_OPENVINO),
        pytest.param("torch", marks=NEEDS_TORCH),
        "keras",
    ],
)
NEEDS_NO_TENSORFLOW = pytest.mark.skipif(CPU_RUNTIME == "keras", reason="TensorFlow alone is installed")
NEEDS_BFLOAT16 = pytest.mark.skipif(
    not has_bfloat16(), reason="the processor has no instructions for bfloat16"
)


def pytest_configure(config: pytest.Config) -> None:
    # Nearly all tests compute with random weights; the ones about the warning ask for it themselves.
    config.addinivalue_line("filterwarnings", "ignore:.*untrained:l3embed.errors.OpenL3Warning")
    # What a shell runs in the background ignores Ctrl-C, and so would all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _random_weights_in_a_cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compute with seeded weights, kept in a folder of this run, here and in processes that tests start."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("L3EMBED_CACHE", str(tmp_path_factory.mktemp("cache")))
        environment.setenv("L3EMBED_WEIGHTS", "random")
        environment.delenv("L3EMBED_WEIGHTS_URL", raising=False)
        yield


@contextmanager
def child(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command as the leader of a process group; the group is killed at the end, or when none comes.

    What waits for it or reads from it needs no time-out of its own. Options are those of `subprocess.Popen`.
    """
    options = {"encoding": "utf-8", "start_new_session": True, **options}
    process: subprocess.Popen[str]
    with subprocess.Popen(command, **options) as process:
        impatience = Timer(PATIENCE_S, kill, [process])
        impatience.start()
        try:
            yield process
        finally:
            impatience.cancel()
            kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a child's process group: the child and what it has started, also what has outlived it."""
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for what a child is going to do, as long as it lives."""
    while not is_so():
        assert process.poll() is None, "It ended before that."
        time.sleep(0.002)


def run_child(
    command: Sequence[str | Path], *, status: int = 0, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which must have a status; return what it wrote."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with child(command, **options) as process:
        said, complaints = process.communicate()
    assert process.returncode == status, f"{said}{complaints or ''}"
    return subprocess.CompletedProcess(command, process.returncode, said, complaints)


OWN_PEAK = """
def own_peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
"""
"""For programs that tell the most memory they held; ``ru_maxrss`` counts what their parent held, too."""

NEEDS_OWN_PEAK = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells it")


class Terminal(io.StringIO):
    """Standard error as a terminal; `contextlib.redirect_stderr` within a test puts it there."""

    def isatty(self) -> bool:
        return True


def reference(name: str) -> Path:
    """A file of the release's ``inputs`` or ``outputs``."""
    return next(folder / name for folder in REFERENCE_FOLDERS if (folder / name).exists())


def reference_inputs() -> list[Path]:
    """All files of the release's ``inputs``."""
    paths = (path for folder in REFERENCE_FOLDERS for path in (folder / "inputs").iterdir())
    return sorted(paths, key=lambda path: path.name)


def noise(seconds: float, sample_rate_hz: int = 48_000, seed: int = 0) -> npt.NDArray[np.float64]:
    """Loud white noise, shape ``(N,)``."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * sample_rate_hz))


class WriteWav(Protocol):
    def __call__(
        self, path: str | Path, seconds: float = 1.5, sample_rate_hz: int = 48_000, seed: int = 0
    ) -> Path: ...


@pytest.fixture
def write_wav(tmp_path: Path) -> WriteWav:
    """Write noise to a 16-bit file, in `tmp_path` unless the path says otherwise, and return its path."""

    def write(path: str | Path, seconds: float = 1.5, sample_rate_hz: int = 48_000, seed: int = 0) -> Path:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, noise(seconds, sample_rate_hz, seed), sample_rate_hz)
        return target

    return write


@pytest.fixture(scope="session")
def tiny_model() -> Any:
    """A Keras model from windows of samples to the means of their four quarters: see `tiny_embedding`."""
    import keras

    inputs = keras.Input((1, 48_000))
    quarters = keras.layers.Reshape((TINY_SIZE, 12_000))(inputs)
    means = keras.layers.GlobalAveragePooling1D(data_format="channels_first")(quarters)
    return keras.Model(inputs, means)


def tiny_embedding(
    samples: npt.NDArray[np.floating], hop_s: float, *, center: bool = True
) -> npt.NDArray[np.floating]:
    """What `tiny_model` is to make of mono samples at 48 kHz, one window after the other, in plain NumPy."""
    if center:
        samples = np.concatenate([np.zeros(24_000), samples])
    rows = []
    start = 0
    while True:
        window = np.zeros(48_000)
        heard = samples[start : start + 48_000]
        window[: len(heard)] = heard
        rows.append(window.reshape(TINY_SIZE, -1).mean(axis=1))
        if start + 48_000 >= len(samples):
            return np.array(rows)
        start += int(hop_s * 48_000)


@pytest.fixture(scope="module")
def slim_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of weights; all networks of the module are slim: as deep as the real ones, and far quicker.

    Only the last block is as wide, since the embeddings' sizes depend on it.
    """
    folder = tmp_path_factory.mktemp("slim")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("l3embed.networks.layers.BLOCK_FILTERS", SLIM_FILTERS)
        for weight_set in ALL_WEIGHT_SETS:
            if weight_set.content_type is ContentType.MUSIC:
                write_random_weights(folder / f"openl3_{weight_set.name}.h5", weight_set)
        yield folder
