"""What a card says in sentences, and the tags by which others find it."""

from __future__ import annotations

from l3embed.export.card.card_facts import CardFacts, Making, ModalityFacts
from l3embed.export.formats import Rows
from l3embed.progress import counted
from l3embed.variants import SAMPLE_RATE_HZ, WINDOW_SAMPLES, ContentType, Frontend, InputRepr, Modality
from l3embed.version import __version__

MINUTE_S, HOUR_S = 60, 3600
WINDOW_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ


def length(seconds: float) -> str:
    """Return a length of time in the unit that suits it; nothing if there is none."""
    if not seconds:
        return ""
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    return f"{seconds / MINUTE_S:.1f} min" if seconds < HOUR_S else f"{seconds / HOUR_S:,.1f} h"


def summary(facts: CardFacts) -> str:
    """Return in a sentence or two what an export holds."""
    parts = []
    for modality, own in facts.embedded.items():
        seconds = length(own.seconds)
        inputs = counted(own.inputs, facts.noun) + (f" ({seconds})" if seconds else "")
        parts.append(f"{counted(own.frames, f'{modality.value} embedding')} of {inputs}")
    pooled = any(own.kind is Rows.FILES for own in facts.embedded.values())
    each = f" Each {facts.noun} has one row, pooled over its embeddings." if pooled else ""
    return f"OpenL3 embeddings, computed by l3embed {__version__}: {' and '.join(parts)}.{each}"


def keywords(facts: CardFacts) -> list[str]:
    """Return the tags by which an export is found."""
    return [modality.value for modality in facts.embedded] + ["embeddings", "openl3", "l3embed"]


def network_words(modality: Modality, facts: ModalityFacts) -> str:
    """Return in words which network made embeddings, by the name of its variant."""
    return "; ".join(
        f"OpenL3's {modality.value} network for {_trained_for(variant)}, {_named(variant, InputRepr)} "
        f"spectrograms, {facts.dimension:,} numbers an embedding (`{variant}`)"
        for variant in sorted(facts.variants)
    )


def _trained_for(variant: str) -> str:
    return "music" if _named(variant, ContentType) == ContentType.MUSIC.value else "environmental sounds"


def frontend_words(facts: ModalityFacts) -> str:
    """Return what computed the spectrograms of sounds."""
    return ", ".join(sorted({_named(variant, Frontend) for variant in facts.variants}))


def windows_words(making: Making) -> str:
    """Return how sounds were cut into windows."""
    place = "centre" if making.center else "start"
    return f"{WINDOW_S:g} s of sound every {making.hop_s:g} s; a timestamp is its window's {place}"


def weights_words(modality: Modality, making: Making) -> str:
    """Return whose a network's weights are, and by what they are known."""
    weights = making.weights[modality]
    if weights.source:
        return f"OpenL3's published ones, `{weights.identity}`, from <{weights.source}>"
    return f"`{weights.identity}`" + ("" if weights.trained else " (**random: not trained**)")


def made_with(modality: Modality, facts: CardFacts, making: Making) -> str:
    """Return in one sentence what a modality's embeddings were made with."""
    own = facts.embedded[modality]
    parts = [network_words(modality, own).replace("`", "")]
    if modality is Modality.AUDIO:
        parts += [f"frontend {frontend_words(own)}", windows_words(making)]
    weights = making.weights[modality]
    trained = "" if weights.trained else " (random: not trained)"
    parts += [f"weights {weights.identity}{trained}", f"precision {', '.join(sorted(own.precisions))}"]
    parts += [f"runtime {', '.join(sorted(own.runtimes))}", f"l3embed {__version__}"]
    return f"{modality.value}: {'; '.join(parts)}."


def _named(variant: str, kind: type[ContentType] | type[InputRepr] | type[Frontend]) -> str:
    """Return which of some words is in the name of a variant; the longest, since one may begin another."""
    words = sorted((member.value for member in kind if f"_{member.value}_" in f"_{variant}_"), key=len)
    return words[-1] if words else "unknown"
