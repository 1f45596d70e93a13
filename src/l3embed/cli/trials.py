"""What ``l3embed doctor`` tries in processes of their own: what is broken there may crash, or never answer.

``python -m l3embed.cli.trials WORD...`` tries one thing and writes what came of it as one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from l3embed.errors import OpenL3Error

PATIENCE_S = 180.0
"""How long one trial may take: TensorFlow's first import from a slow disk takes a minute."""

MARK = "l3embed-trial:"
"""What the line with the answer begins with: frameworks write lines of their own."""


def try_apart(*words: str) -> dict[str, Any]:
    """Try something in a process of its own.

    Returns
    -------
    dict
        What came of it; under ``"fault"`` why it does not work, empty if it does.
    """
    command = [sys.executable, "-m", __name__, *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return {"fault": f"it gave no answer within {PATIENCE_S:.0f} s"}
    answers = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if answers:
        found: dict[str, Any] = json.loads(answers[-1].removeprefix(MARK))
        return found
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return {"fault": f"its process ended with status {done.returncode}: {last}"}


def _try_runtime(name: str, device: str) -> dict[str, Any]:
    """Compute a small network, as before anything else that is computed in a process."""
    from l3embed.runtimes.self_test import self_test_fault
    from l3embed.variants import AudioVariant, Device

    return {"fault": self_test_fault(name, AudioVariant(), Device(device), threads=0)}


def _find_gpu(name: str) -> dict[str, Any]:
    """Ask a runtime whether it finds a GPU."""
    from l3embed.runtimes.choice import RUNTIMES

    runtime: Any = RUNTIMES[name].load()
    return {"fault": "", "gpu": runtime.has_gpu()}


def _choose(*_: str) -> dict[str, Any]:
    """Say what `auto` takes here."""
    from l3embed.runtimes.base import Placement
    from l3embed.runtimes.choice import choose_runtime
    from l3embed.variants import AudioVariant

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name, device = choose_runtime(AudioVariant(), Placement())
    return {"fault": "", "runtime": name, "device": device.value}


def _import_all(*modules: str) -> dict[str, Any]:
    """Import modules, and say which of them failed."""
    faults = []
    for module in modules:
        try:
            import_module(module)
        except Exception as error:  # noqa: BLE001 (what a broken installation raises is anything)
            faults.append(f"{module}: {type(error).__name__}: {error}")
    return {"fault": "; ".join(faults)}


def _read(*paths: str) -> dict[str, Any]:
    """Read files as the networks need them, and say which of them failed."""
    from l3embed.inputs.media import MODALITIES, SourceFile
    from l3embed.inputs.preparation import Samples, prepared_rows
    from l3embed.variants import Media

    kinds = {".png": Media.IMAGE, ".mp4": Media.VIDEO}
    faults = []
    for path in map(Path, paths):
        media = kinds.get(path.suffix, Media.AUDIO)
        try:
            source = SourceFile(path, media)
            rows = [sum(map(len, prepared_rows(source, each, Samples()))) for each in MODALITIES[media]]
        except Exception as error:  # noqa: BLE001 (what a broken installation raises is anything)
            faults.append(f"{path.suffix}: {error}")
        else:
            faults += [f"{path.suffix}: nothing came of it"] if not all(rows) else []
    return {"fault": "; ".join(faults)}


TRIALS: dict[str, Callable[..., dict[str, Any]]] = {
    "runtime": _try_runtime,
    "gpu": _find_gpu,
    "choice": _choose,
    "import": _import_all,
    "read": _read,
}
"""What can be tried."""


def main(words: Sequence[str]) -> None:
    """Try one thing, and write what came of it."""
    kind, *arguments = words
    try:
        found = TRIALS[kind](*arguments)
    except OpenL3Error as error:
        found = {"fault": str(error)}
    except Exception as error:  # noqa: BLE001 (what a broken installation raises is anything)
        found = {"fault": f"{type(error).__name__}: {error}"}
    sys.stdout.write(f"{MARK}{json.dumps(found)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
