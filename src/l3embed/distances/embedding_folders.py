"""A folder of sounds or pictures to a set of embeddings, by a protocol or as OpenL3 does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from l3embed.core.files import FileJob, Medium, embed_files
from l3embed.core.options import AudioOptions, ImageOptions, Request, RunOptions
from l3embed.disk.atomic import replacing
from l3embed.distances.computed_with import AS_OPENL3, STEREO, ComputedWith
from l3embed.distances.distance_options import DistanceOptions
from l3embed.distances.embedded_sets import ARRAY, EmbeddedSet, gather, open_npz
from l3embed.distances.protocol_sound import LEFT, RIGHT, ProtocolMedium, channels_of
from l3embed.distances.protocols import PROTOCOLS, Protocol, check_channels, parse_protocol
from l3embed.errors import FilesError, OpenL3Error, source_faults
from l3embed.exchange.onnx_file import parse_variant_name
from l3embed.inputs.media import SourceFile
from l3embed.inputs.windows import Framing
from l3embed.variants import AudioVariant, Media, Modality
from l3embed.weights.source import source_of_identity

DEFAULT_SIZE = 512
DEFAULT_HOP_S = 0.5
"""With which distances are published."""


@dataclass(frozen=True)
class FolderPlan:
    """How folders of sounds or pictures are embedded.

    Parameters
    ----------
    request : Request
        By which network, and how it is to run.
    medium : Medium
        What it takes from the files; of channels apart, the left one.
    made : ComputedWith
        What their embeddings will say.
    keep : Path or None
        Folder to keep embeddings in.
    """

    request: Request
    medium: Medium
    made: ComputedWith
    keep: Path | None = None


def plan_folders(options: DistanceOptions, known: ComputedWith, modality: Modality) -> FolderPlan:
    """Return how to embed folders: as asked for, or as what is embedded already.

    Raises
    ------
    OpenL3Error
        If that cannot be.
    """
    embedding = _Embedding(options, known, modality)
    request, medium = embedding.request(), embedding.medium()
    origin = request.load().origin
    protocol = embedding.protocol
    made = ComputedWith(
        origin.variant,
        origin.weights,
        embedding.hop_s,
        embedding.channels,
        (protocol.name if protocol else AS_OPENL3) if modality is Modality.AUDIO else None,
    )
    return FolderPlan(request, medium, made, options.keep)


class _Embedding:
    """What was asked for, filled up by what is known, and by what distances are published with."""

    def __init__(self, options: DistanceOptions, known: ComputedWith, modality: Modality) -> None:
        self._options, self._modality = options, modality
        is_sound = modality is Modality.AUDIO
        self.protocol = parse_protocol(options.protocol or _known_protocol(known)) if is_sound else None
        self._variant = parse_variant_name(known.variant) if known.variant else None
        self._weights = options.weights or source_of_identity(known.weights or "")
        self.channels: int | None = None
        self.hop_s: float | None = None
        if not is_sound:
            self._refuse_for_pictures()
        elif self.protocol:
            self.channels = check_channels(self.protocol, options.channels or known.channels)
            self.hop_s = self.protocol.hop_s
            _check_protocol(self.protocol, options)
        else:
            self.channels = check_channels(None, options.channels)
            self.hop_s = options.hop_size or known.hop_s or DEFAULT_HOP_S

    def request(self) -> Request:
        """Return the network, checked."""
        options, variant = self._options, self._variant
        run = RunOptions(
            self._weights,
            options.device,
            options.runtime,
            options.precision or (variant.precision.value if variant else "float32"),
            options.threads,
        )
        chosen: dict[str, Any] = {
            "input_repr": options.input_repr or (variant or _published(self.protocol)).input_repr.value,
            "content_type": options.content_type or (variant.content_type.value if variant else "music"),
            "embedding_size": options.embedding_size or (variant.embedding_size if variant else DEFAULT_SIZE),
            "batch_size": options.batch_size,
            "verbose": options.verbose,
            "run": run,
        }
        if self._modality is Modality.IMAGE:
            return ImageOptions(**chosen).parse()
        frontend = variant.frontend.value if isinstance(variant, AudioVariant) else "kapre"
        return AudioOptions(**chosen, frontend=frontend).parse()

    def medium(self) -> Medium:
        """Return what the network takes from the files."""
        if self._modality is Modality.IMAGE:
            return Medium(Media.IMAGE, Modality.IMAGE)
        framing = AudioOptions(hop_size=self.hop_s or DEFAULT_HOP_S).parse_framing()
        if self.protocol is None:
            return Medium(Media.AUDIO, Modality.AUDIO, framing)
        channel = LEFT if self.channels == STEREO else None
        return ProtocolMedium(Media.AUDIO, Modality.AUDIO, framing, protocol=self.protocol, channel=channel)

    def _refuse_for_pictures(self) -> None:
        for name in ("protocol", "channels", "hop_size"):
            if getattr(self._options, name) is not None:
                raise OpenL3Error(f"{name} is about sounds; the sides hold pictures. Leave it out.")


def _published(protocol: Protocol | None) -> AudioVariant:
    """Return the network that distances are published with."""
    return AudioVariant((protocol or PROTOCOLS["stable-audio-metrics"]).input_reprs[0])


def _known_protocol(known: ComputedWith) -> str | None:
    """Return the protocol of what is embedded already.

    Raises
    ------
    OpenL3Error
        If that is one that cannot be followed here.
    """
    if known.protocol in (None, AS_OPENL3):
        return None
    return known.protocol


def _check_protocol(protocol: Protocol, options: DistanceOptions) -> None:
    """Check that nothing else is asked for than a protocol has."""
    fixed: dict[str, tuple[object, ...]] = {
        "input_repr": tuple(kind.value for kind in protocol.input_reprs),
        "embedding_size": (protocol.embedding_size,),
        "hop_size": (protocol.hop_s,),
    }
    for name, allowed in fixed.items():
        asked = getattr(options, name)
        if asked is not None and asked not in allowed:
            raise OpenL3Error(
                f"The protocol {protocol.name} has {name}={' or '.join(map(str, allowed))}; got {asked}. "
                "Leave it out, or leave out the protocol."
            )


def embed_folder(folder: Path, paths: Sequence[Path], plan: FolderPlan, scratch: Path) -> EmbeddedSet:
    """Embed the files of a folder, and return their set; what fails is named in it.

    Raises
    ------
    OpenL3Error
        If the model cannot be had.
    """
    target = _target(folder, plan, scratch)
    outputs = {path: target / f"{path.relative_to(folder)}.npz" for path in paths}
    for path, output in outputs.items():
        for kept in (output, *_parts(output)):
            _forget_if_older(kept, path)
    failures = _embed_apart(outputs, plan) if plan.made.channels == STEREO else _embed(outputs, plan)
    sources = {
        str(path.relative_to(folder)): partial(open_npz, output)
        for path, output in outputs.items()
        if str(path) not in failures
    }
    found = gather(str(folder), sources)
    names = {str(Path(path).relative_to(folder)): reason for path, reason in failures.items()}
    return EmbeddedSet(found.name, found.files, found.dimension, plan.made, {**names, **found.failures})


def _target(folder: Path, plan: FolderPlan, scratch: Path) -> Path:
    """Return where a folder's embeddings go: one place for each folder and each way of embedding it."""
    told = f"{folder.absolute()}|{plan.made}".encode(errors="surrogateescape")
    return (plan.keep or scratch) / f"{folder.absolute().name}-{sha256(told).hexdigest()[:12]}"


def _forget_if_older(output: Path, source: Path) -> None:
    """Remove embeddings of what has been changed since."""
    if output.is_file() and source.is_file() and output.stat().st_mtime < source.stat().st_mtime:
        output.unlink()


def _embed(outputs: Mapping[Path, Path], plan: FolderPlan, medium: Medium | None = None) -> dict[str, str]:
    """Embed files that have no output, and return the failures."""
    todo = {str(path): str(output) for path, output in outputs.items() if not output.exists()}
    try:
        if todo:
            embed_files(FileJob(todo, plan.request, overwrite=False), medium or plan.medium)
    except FilesError as error:
        return error.failures
    return {}


def _embed_apart(outputs: Mapping[Path, Path], plan: FolderPlan) -> dict[str, str]:
    """Embed left and right apart, put them side by side, and return the failures."""
    if not isinstance(plan.medium, ProtocolMedium):
        raise OpenL3Error("Channels are embedded apart by a protocol only.")
    protocol = plan.medium.protocol
    right = ProtocolMedium(
        plan.medium.media, plan.medium.modality, Framing(protocol.hop_s), protocol=protocol, channel=RIGHT
    )
    todo = {path: output for path, output in outputs.items() if not output.exists()}
    parts = {path: _parts(output) for path, output in todo.items()}
    failures = _embed({path: left for path, (left, _) in parts.items()}, plan)
    stereo = {path: pair for path, pair in parts.items() if str(path) not in failures and _is_stereo(path)}
    failures |= _embed({path: pair[RIGHT] for path, pair in stereo.items()}, plan, right)
    for path, output in todo.items():
        if str(path) not in failures:
            left = parts[path][LEFT]
            try:
                with source_faults("It could not be saved"):
                    _put_side_by_side(left, parts[path][RIGHT] if path in stereo else left, output)
            except OpenL3Error as error:
                failures[str(path)] = str(error)
    return failures


def _parts(output: Path) -> tuple[Path, Path]:
    """Return where the embeddings of both channels lie until they are put side by side."""
    return output.with_name(f"{output.name}.left"), output.with_name(f"{output.name}.right")


def _is_stereo(path: Path) -> bool:
    return channels_of(SourceFile(path, Media.AUDIO)) == STEREO


def _put_side_by_side(left: Path, right: Path, output: Path) -> None:
    """Write the embeddings of both channels, ``(T, 2 D)``, and what is said beside them; mono is doubled."""
    with np.load(left) as one, np.load(right) as other:
        both = np.concatenate([one[ARRAY], other[ARRAY]], axis=1)
        others = {name: one[name] for name in one.files if name != ARRAY}
    with replacing(output) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **{ARRAY: both, **others, "channels": np.array(STEREO)})
    left.unlink()
    right.unlink(missing_ok=True)
