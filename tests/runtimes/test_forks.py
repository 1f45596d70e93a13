"""Forked processes: each test runs a program that embeds and forks, never the tests' own process."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import EACH_RUNTIME, NEEDS_NCNN, NEEDS_OPENVINO, NEEDS_TORCH

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")

PATIENCE_S = 120
"""Until a program that hangs is ended: none takes a tenth of it."""

PRELUDE = """
import multiprocessing, os, sys, threading, warnings
warnings.simplefilter("ignore")
import numpy as np
import l3embed
from l3embed.runtimes.processor import available_threads

SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, 48_000)

def embed(runtime=RUNTIME, model=None):
    kwargs = {} if model else dict(input_repr="mel128", embedding_size=512)
    return l3embed.get_audio_embedding(
        SOUND, 48_000, model, hop_size=0.5, runtime=runtime, device="cpu", verbose=False, **kwargs)[0]

def in_child(function, *arguments):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, arguments)

def fault_in_child(function, *arguments):
    try:
        in_child(function, *arguments)
    except l3embed.OpenL3Error as error:
        return str(error)
"""


EACH_FORKABLE = pytest.mark.parametrize(
    "runtime", [pytest.param("ncnn", marks=NEEDS_NCNN), pytest.param("openvino", marks=NEEDS_OPENVINO)]
)
"""The runtimes that a forked process may use after its parent has."""


def run(program: str, runtime: str = "auto") -> None:
    """Run a program of a user's to its end; it embeds in a runtime, if it does not say otherwise."""
    program = f"RUNTIME = {runtime!r}\n{PRELUDE}{program}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr


@EACH_FORKABLE
def test_a_child_of_a_process_that_has_embedded_gives_the_same_numbers(runtime: str) -> None:
    run("here = embed()\nassert np.array_equal(in_child(embed), here)", runtime)


@EACH_FORKABLE
def test_so_does_a_child_s_child(runtime: str) -> None:
    run(
        "here = embed()\n"
        "def fork_again():\n"
        "    process = os.fork()\n"
        "    if not process:\n"
        "        os._exit(0 if np.array_equal(embed(), here) else 1)\n"
        "    return os.waitpid(process, 0)[1]\n"
        "assert in_child(embed).any()\n"
        "process = os.fork()\n"
        "if not process:\n"
        "    embed()\n"
        "    os._exit(fork_again())\n"
        "assert os.waitpid(process, 0)[1] == 0",
        runtime,
    )


@EACH_FORKABLE
def test_so_does_a_child_that_is_forked_while_another_thread_embeds(runtime: str) -> None:
    run(
        "here, done = embed(), threading.Event()\n"
        "def embed_on():\n"
        "    while not done.is_set():\n"
        "        embed()\n"
        "thread = threading.Thread(target=embed_on)\n"
        "thread.start()\n"
        "for _ in range(3):\n"
        "    assert np.array_equal(in_child(embed), here)\n"
        "done.set()\n"
        "thread.join()",
        runtime,
    )


@EACH_FORKABLE
def test_a_stream_goes_on_in_a_child(runtime: str) -> None:
    run(
        "here = embed()\n"
        "options = dict(input_repr='mel128', embedding_size=512, hop_size=0.5, runtime=RUNTIME)\n"
        "stream = l3embed.AudioEmbeddingStream(48_000, **options)\n"
        "first, _ = stream.feed(SOUND[:30_000])\n"
        "def rest():\n"
        "    return np.concatenate([stream.feed(SOUND[30_000:])[0], stream.finish()[0]])\n"
        "assert len(first)\n"
        "np.testing.assert_array_equal(np.concatenate([first, in_child(rest)]), here)",
        runtime,
    )


@EACH_FORKABLE
def test_a_child_ends_as_programs_do_whether_it_embeds_or_not(runtime: str) -> None:
    """What the parent's runtime has made must not be destroyed there: it would wait for its threads."""
    run(
        "embed()\n"
        "for embeds in (False, True):\n"
        "    process = os.fork()\n"
        "    if not process:\n"
        "        if embeds:\n"
        "            embed()\n"
        "        sys.exit(0)\n"
        "    assert os.waitpid(process, 0)[1] == 0",
        runtime,
    )


@NEEDS_TORCH
def test_a_child_of_a_process_that_has_used_pytorch_gives_the_same_numbers_in_it() -> None:
    """In one thread: more would wait for ever for the parent's."""
    run(
        "import torch\n"
        "here = embed('torch')\n"
        "with torch.inference_mode():\n"
        "    torch.nn.Conv2d(8, 8, 3)(torch.ones(4, 8, 200, 200))\n"
        "there = in_child(embed, 'torch')\n"
        "np.testing.assert_allclose(there, here, atol=1e-6 * np.abs(here).max())"
    )


@NEEDS_TORCH
def test_a_child_of_a_process_that_has_used_the_gpu_through_pytorch_is_told_what_to_do() -> None:
    run(
        "import torch\n"
        "from l3embed.runtimes.forks import check_torch_gpu_usable\n"
        "assert fault_in_child(check_torch_gpu_usable) is None\n"
        "torch.cuda.is_initialized = lambda: True\n"
        "check_torch_gpu_usable()\n"
        "said = fault_in_child(check_torch_gpu_usable)\n"
        "assert 'forked from one that has used the GPU through PyTorch' in said and 'spawn' in said, said"
    )


@EACH_RUNTIME
def test_a_child_of_a_process_that_has_computed_nothing_just_works(runtime: str) -> None:
    run(
        "import tensorflow, keras\n"
        "import l3embed.models\n"
        "from l3embed.runtimes.tensorflow import prepare_tensorflow\n"
        "prepare_tensorflow()\n"
        f"assert in_child(embed, {runtime!r}).any()"
    )


USES_OF_TENSORFLOW = {
    "l3embed's": "embed('keras')",
    "the program's own": "import tensorflow\ntensorflow.ones(3) + 1",
    "a model that was loaded": "l3embed.models.load_audio_embedding_model('mel128', 'music', 512)",
}


@pytest.mark.slow
@pytest.mark.parametrize("use", USES_OF_TENSORFLOW.values(), ids=USES_OF_TENSORFLOW)
def test_a_child_of_a_process_that_has_used_tensorflow_is_told_what_to_do(use: str) -> None:
    run(
        f"{use}\n"
        "said = fault_in_child(embed, 'keras')\n"
        "assert 'forked from one that has used TensorFlow' in said, said\n"
        "assert 'spawn' in said and 'runtime ncnn or openvino' in said, said"
    )


@pytest.mark.slow
@EACH_FORKABLE
def test_it_may_use_another_runtime(runtime: str) -> None:
    run(
        "embed('keras')\nhere = embed()\nassert np.array_equal(in_child(embed), here)",
        runtime,
    )


@pytest.mark.slow
@EACH_FORKABLE
def test_a_model_of_the_parent_s_runs_in_a_child_in_another_runtime_than_its_own(runtime: str) -> None:
    run(
        "model = l3embed.models.load_audio_embedding_model('mel128', 'music', 512)\n"
        "here = embed(model=model)\n"
        "def there(): return embed(model=model)\n"
        "def in_keras(): return embed('keras', model)\n"
        "assert np.array_equal(in_child(there), here)\n"
        "assert 'forked' in fault_in_child(in_keras)",
        runtime,
    )


@pytest.mark.slow
def test_a_model_that_l3embed_has_not_loaded_cannot_run_in_a_child() -> None:
    run(
        "import keras\n"
        "inputs = keras.Input((1, 48_000))\n"
        "model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(inputs))\n"
        "assert embed(model=model).any()\n"
        "def there(): return embed(model=model)\n"
        "assert 'forked' in fault_in_child(there)"
    )


def test_a_child_reads_pictures_though_another_thread_was_reading_one() -> None:
    run(
        "from l3embed.decoding.image import QUIET\n"
        "filters = list(warnings.filters)\n"
        "def filters_of_reader():\n"
        "    with QUIET:\n"
        "        pass\n"
        "    return warnings.filters\n"
        "with QUIET, QUIET._lock:\n"
        "    assert in_child(filters_of_reader) == filters"
    )


def test_a_child_holds_none_of_its_parent_s_claims() -> None:
    run(
        "import tempfile\n"
        "from pathlib import Path\n"
        "from l3embed.store.claims import Claims\n"
        "claims, key = Claims(Path(tempfile.mkdtemp()) / 'lock'), 64 * 'a'\n"
        "assert claims.take(key)\n"
        "def release_and_take():\n"
        "    claims.release_all()\n"
        "    return claims.take(key)\n"
        "assert in_child(release_and_take) is False\n"
        "claims.release(key)\n"
        "assert in_child(release_and_take) is True"
    )
