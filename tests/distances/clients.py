"""Distances between sets of embeddings as kadtk 1.1.0 and fadtk 1.1.0 compute them, written as JSON.

Run by a Python that has those two (and no l3embed): ``python clients.py X.npy Y.npy``. Their functions on
statistics are called as they are; what reads sounds and loads networks, which is not needed for them, is
stood in for, so that none of those networks has to be installed.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import types
from importlib.metadata import version
from pathlib import Path
from typing import Any


class _Anything(types.ModuleType):
    """A module that has any name."""

    __all__ = ()

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


for _name in (
    "torchaudio",
    "kadtk.model_loader",
    "kadtk.emb_loader",
    "fadtk.model_loader",
    "fadtk.fad_batch",
):
    sys.modules[_name] = _Anything(_name)

with contextlib.redirect_stdout(sys.stderr):
    import numpy as np
    import torch
    from fadtk import fad as fadtk_fad
    from kadtk import fad as kadtk_fad
    from kadtk import kad as kadtk_kad


def figures(x: Any, y: Any) -> dict[str, object]:
    """What they make of two sets of embeddings, the first of which is the reference."""
    statistics = [fadtk_fad.calc_embd_statistics(set_.astype(np.float64)) for set_ in (x, y)]
    no_caches = (None, None)
    tensors = torch.tensor(x), torch.tensor(y)
    infinity = _infinity(statistics[0], y)
    return {
        "fadtk": version("fadtk"),
        "kadtk": version("kadtk"),
        "fd_fadtk": float(fadtk_fad.calc_frechet_distance(*statistics[0], *statistics[1])),
        "fd_kadtk": kadtk_fad.calc_frechet_distance(x, y, no_caches, "cpu", torch.float64).item(),
        "kad": kadtk_kad.calc_kernel_audio_distance(*tensors, no_caches, "cpu").item(),
        "median": kadtk_kad.median_pairwise_distance(tensors[1]),
        "infinity": {
            "value": float(infinity.score),
            "slope": float(infinity.slope),
            "r_squared": float(infinity.r2),
            "points": [[int(size), float(distance)] for size, distance in infinity.points],
        },
    }


def _infinity(reference: Any, y: Any) -> Any:
    measuring = object.__new__(fadtk_fad.FrechetAudioDistance)
    measuring.ml = types.SimpleNamespace(name="openl3")
    measuring.load_stats = lambda _: reference
    np.random.seed(0)  # noqa: NPY002 (it is what fadtk draws with)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "y.npy")
        np.save(path, y.astype(np.float64))
        return measuring.score_inf("", [path])


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = figures(*(np.load(path) for path in sys.argv[1:]))
    print(json.dumps(found))
