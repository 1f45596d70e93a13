"""Networks in int8: made once by NNCF from their weights, kept in the cache, and seen to be near float32."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from l3embed.disk.atomic import remove_left_behind, replacing
from l3embed.disk.checksums import sha256
from l3embed.disk.folders import cache_folder
from l3embed.disk.leftovers import programs, temporary_path
from l3embed.errors import OpenL3Error
from l3embed.networks.folding import FoldedLayer
from l3embed.progress import tell
from l3embed.runtimes.calibration import Calibration, calibration_checksum, read_calibration
from l3embed.runtimes.nncf_program import FLOAT32, INT8, ITEMS, SETTINGS, SILENCE
from l3embed.runtimes.openvino_model import build_model, compile_model, read_model
from l3embed.variants import Variant
from l3embed.weights.cache import exclusively, explaining_cache_errors

Bytes = npt.NDArray[np.uint8]
Embeddings = npt.NDArray[np.float32]

CONTENT = "networks in int8 (6 MB each)"
"""What is kept in the cache."""

INSTALL = "pip install 'l3embed[int8]'"

LEAST_CENTRED_COSINE = 0.99
"""To the float32 embeddings of the held-out items, the median: with less, int8 is refused."""

KEPT_ITEMS = 3
TOLERANCE = 0.03
"""Of the largest magnitude: how far each process's embeddings of the kept items may be from the first's."""

EXCERPT_LINES = 5
"""Last lines that are shown of what NNCF said when it failed."""


@dataclass(frozen=True)
class QuantizedNetwork:
    """A network in int8, as it is kept.

    Parameters
    ----------
    network, numbers : np.ndarray [shape=(bytes,)]
        OpenVINO's two files, whole.
    items : np.ndarray [shape=(k, *network_shape)]
        A few of the calibration's.
    embeddings : np.ndarray [shape=(k, D)]
        Theirs, as the process that made the network computed them in int8.
    """

    network: Bytes
    numbers: Bytes
    items: npt.NDArray[np.float32]
    embeddings: Embeddings

    def model(self) -> Any:
        """Return it as a model of OpenVINO's."""
        return read_model(self.network.tobytes(), self.numbers)

    def fault(self, embeddings: Embeddings) -> str:
        """Return what is wrong with embeddings of the kept items; nothing, if they are right."""
        off = float(np.abs(embeddings - self.embeddings).max() / np.abs(self.embeddings).max())
        if off <= TOLERANCE:  # which not-a-number is not
            return ""
        return f"off by {off:.1e} of the largest magnitude, where {TOLERANCE:.0e} is allowed"


def quantization_fault(variant: Variant) -> str:
    """Return why a network cannot be had in int8; nothing, if it can, or may be in the cache."""
    if _has_nncf() or any(_folder().glob(f"{_variant_name(variant)}-*-openvino*.npz")):
        return ""
    return (
        f"precision int8 needs NNCF, which is not installed, to make the network once: {INSTALL}. "
        "Or use precision float32."
    )


def quantized_network(variant: Variant, layers: Sequence[FoldedLayer]) -> QuantizedNetwork:
    """Return a network in int8: from the cache, or made and put there, by one process at a time.

    Parameters
    ----------
    variant : AudioVariant or ImageVariant
        Which network.
    layers : sequence of FoldedLayer
        Its layers, by whose numbers it is known.

    Raises
    ------
    OpenL3Error
        If it has to be made and NNCF is not installed or fails, or if it would be too far from float32.
    """
    return _read(_locate(variant, layers))


def quantized_checksum(variant: Variant, layers: Sequence[FoldedLayer]) -> str:
    """Return the checksum of the network that `quantized_network` returns, with its errors."""
    return sha256(_locate(variant, layers))


def centred_cosines(found: Embeddings, exact: Embeddings) -> npt.NDArray[np.float32]:
    """Return the cosine of each embedding to the exact one, the exact ones' mean taken off both.

    All embeddings have most of their length in common; what tells inputs apart is the rest.
    """
    mean = exact.mean(axis=0)
    ours, theirs = found - mean, exact - mean
    products: npt.NDArray[np.float32] = (ours * theirs).sum(axis=1)
    norms: npt.NDArray[np.float32] = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return products / norms


def _locate(variant: Variant, layers: Sequence[FoldedLayer]) -> Path:
    stem = _stem(variant, layers)
    folder = _folder()
    with explaining_cache_errors(folder, CONTENT):
        found = _find(stem)
        if found is not None:
            return found
        if not _has_nncf():
            raise OpenL3Error(
                "precision int8 needs NNCF, which is not installed, and the cache has no network made of "
                f"these weights by this version of OpenVINO: {INSTALL}. Or use precision float32."
            )
        path = folder / f"{stem}-nncf{_version('nncf')}.npz"
        with exclusively(folder, path.name):
            remove_left_behind(path)
            if _find(stem) is None:
                tell(f"Making {variant.name}, once: a minute.")
                _write(path, _make(variant, layers))
        return path


def _find(stem: str) -> Path | None:
    """Return the whole network of a name that this NNCF made, or where that is not installed, any."""
    made_by = _version("nncf") if _has_nncf() else "*"
    paths = sorted(_folder().glob(f"{stem}-nncf{made_by}.npz"))
    return next((path for path in reversed(paths) if _is_whole(path)), None)


def _make(variant: Variant, layers: Sequence[FoldedLayer]) -> QuantizedNetwork:
    calibration = read_calibration(variant)
    in_float32 = build_model(layers, variant.network_shape)
    with tempfile.TemporaryDirectory() as name, temporary_path(Path(name)) as folder:
        _quantize(in_float32, calibration, folder)
        network, numbers = (
            np.frombuffer((folder / INT8).with_suffix(suffix).read_bytes(), np.uint8)
            for suffix in (".xml", ".bin")
        )
    in_int8 = read_model(network.tobytes(), numbers)
    found, exact = (_embed(model, calibration.held_out) for model in (in_int8, in_float32))
    _check_near(variant, centred_cosines(found, exact))
    return QuantizedNetwork(network, numbers, calibration.held_out[:KEPT_ITEMS], found[:KEPT_ITEMS])


def _embed(model: Any, items: npt.NDArray[np.float32]) -> Embeddings:
    compiled = compile_model(model, "f32", threads=0)
    return np.concatenate([compiled([item[np.newaxis]])[0] for item in items])


def _check_near(variant: Variant, cosines: npt.NDArray[np.float32]) -> None:
    median = float(np.median(cosines))
    if median >= LEAST_CENTRED_COSINE:  # which not-a-number is not
        return
    raise OpenL3Error(
        f"{variant.name} with these weights is too far from float32: the centred cosine is {median:.4f} "
        f"(median of {len(cosines)} held-out inputs; smallest {cosines.min():.4f}), and at least "
        f"{LEAST_CENTRED_COSINE} is asked for. Use float32 or bfloat16 for this network: precision is "
        "that of sound, and image_precision that of images, if it is another."
    )


def _quantize(model: Any, calibration: Calibration, folder: Path) -> None:
    """Have NNCF write the int8 network to a folder, in a process of its own."""
    import openvino

    openvino.save_model(model, folder / FLOAT32, compress_to_fp16=False)
    np.save(folder / ITEMS, calibration.items)
    # Started in the empty folder, so that nothing that lies about is imported; paths have to be whole then.
    paths = os.pathsep.join(str(Path(path).absolute()) for path in sys.path)
    command = [sys.executable, "-m", "l3embed.runtimes.nncf_program", str(folder)]
    with subprocess.Popen(  # noqa: S603 (our own program)
        command,
        cwd=folder,
        env={**os.environ, **SILENCE, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as program:
        programs.add(program)
        try:
            said, _ = program.communicate()
        except BaseException:
            program.kill()
            raise
    if program.returncode or not (folder / INT8).is_file():
        last = "\n  ".join(said.decode(errors="replace").strip().splitlines()[-EXCERPT_LINES:])
        raise OpenL3Error(
            f"NNCF {_version('nncf')} has failed (status {program.returncode}), and last said:\n  {last}\n"
            "Use precision float32, or install another version of nncf."
        )


def _write(path: Path, made: QuantizedNetwork) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **vars(made))


def _read(path: Path) -> QuantizedNetwork:
    with np.load(path) as arrays:
        return QuantizedNetwork(**{field.name: arrays[field.name] for field in fields(QuantizedNetwork)})


def _is_whole(path: Path) -> bool:
    """Tell whether a file is as it was written, by its own checksums."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() is None
    except (zipfile.BadZipFile, FileNotFoundError):
        return False


def _stem(variant: Variant, layers: Sequence[FoldedLayer]) -> str:
    """Return a network's name by all that decides about it, but for the version of NNCF."""
    made_how = hashlib.sha256(f"{SETTINGS} {calibration_checksum(variant)}".encode()).hexdigest()
    weights = _layers_checksum(layers)
    return f"{_variant_name(variant)}-{weights[:16]}-{made_how[:16]}-openvino{_version('openvino')}"


def _variant_name(variant: Variant) -> str:
    return f"{variant.weight_set.name}_{variant.embedding_size}"


def _layers_checksum(layers: Sequence[FoldedLayer]) -> str:
    digest = hashlib.sha256()
    for layer in layers:
        digest.update(type(layer).__name__.encode())
        for value in vars(layer).values():
            is_array = isinstance(value, np.ndarray)
            digest.update(np.ascontiguousarray(value).tobytes() if is_array else repr(value).encode())
    return digest.hexdigest()


def _folder() -> Path:
    return cache_folder() / "int8"


def _has_nncf() -> bool:
    return importlib.util.find_spec("nncf") is not None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
