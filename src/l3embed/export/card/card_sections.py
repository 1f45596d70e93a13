"""The sections of a dataset card, in Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from l3embed.export.card.card_facts import CardFacts, Making, ModalityFacts, Weights
from l3embed.export.card.card_files import CardFile, parts_pattern
from l3embed.export.card.card_words import (
    frontend_words,
    length,
    network_words,
    weights_words,
    windows_words,
)
from l3embed.export.card.citations import PAPERS, SOFTWARE
from l3embed.export.card.croissant import COLUMNS, EMBEDDING
from l3embed.export.card.study import Study
from l3embed.export.doubts import DOUBTFUL, DOUBTS_CSV
from l3embed.export.formats import Rows
from l3embed.export.lance import FOLDER as LANCE_FOLDER
from l3embed.export.manifest import MANIFEST_PARQUET
from l3embed.export.parquet import FOLDER
from l3embed.progress import counted
from l3embed.variants import Modality
from l3embed.version import __version__

LABELS_NAMED = 30
"""Classes that a card lists, the largest first; the manifest has them all."""

NOT_STATED = "not stated"

NUMBER_TYPES = {"halffloat": "float16", "float": "float32", "double": "float64"}
"""What everybody but Arrow calls these."""

MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~$])")
"""What means something else in Markdown than itself."""


def plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def what_was_embedded(facts: CardFacts) -> Iterator[str]:
    """Yield what went in, and which classes it is of."""
    yield "## What was embedded"
    header = ("", f"{facts.noun}s", "length", "embeddings", "numbers each", "labelled", "classes", "failed")
    yield table(header, (_counts(modality, own) for modality, own in facts.modalities.items() if own.is_any))
    for modality, own in facts.embedded.items():
        if own.labels:
            largest = sorted(own.labels.items(), key=lambda item: (-item[1], item[0]))
            named = ", ".join(f"{plain(label)} ({count:,})" for label, count in largest[:LABELS_NAMED])
            more = len(largest) - LABELS_NAMED
            others = f", and {counted(more, 'smaller one')}" if more > 0 else ""
            yield f"Classes of {modality.value}, with how many {facts.noun}s each has: {named}{others}."
        if own.folds:
            folds = ", ".join(map(plain, sorted(own.folds)[:LABELS_NAMED]))
            yield f"Folds of {modality.value}, as the dataset's authors have them: {folds}."


def _counts(modality: Modality, own: ModalityFacts) -> Sequence[object]:
    labelled = sum(own.labels.values())
    numbers = f"{own.dimension:,}" if own.dimension else ""
    counts = (f"{own.frames:,}", numbers, f"{labelled:,}", f"{len(own.labels):,}", f"{own.failed:,}")
    return (modality.value, f"{own.inputs:,}", length(own.seconds), *counts)


def what_was_found(facts: CardFacts, making: Making) -> Iterator[str]:
    """Yield what failed, and what is doubtful."""
    yield "### Doubts and failures"
    if making.doubts:
        rows = ((kind.value, f"{count:,}", DOUBTFUL[kind]) for kind, count in making.doubts.items())
        yield f"`{DOUBTS_CSV}` names these files:"
        yield table(("doubt", "files", "which"), rows)
    else:
        yield "No file is doubtful."
    if not facts.failed:
        yield "No file failed."
        return
    have = "have" if facts.failed > 1 else "has"
    yield f"{counted(facts.failed, 'file')} of {facts.files:,} failed, and {have} no embeddings:"
    if facts.failures:
        yield table(("file", "why"), ((plain(path), plain(why)) for path, why in facts.failures.items()))
    if facts.failed > len(facts.failures):
        yield f"`{MANIFEST_PARQUET}` names all."


def with_what(facts: CardFacts, making: Making) -> Iterator[str]:
    """Yield what the embeddings were computed with."""
    yield "## With what"
    yield table(("", *(modality.value for modality in facts.embedded)), _makings(facts, making))
    packages = sorted({each for own in facts.embedded.values() for each in own.packages})
    yield f"Packages: {plain('; '.join(packages))}."
    code = "; ".join(f"{step} `{digest}`" for step, digest in making.code.items())
    yield f"Code of each step of l3embed {__version__}, as the SHA-256 of its modules: {code}."
    if any(not making.weights[modality].trained for modality in facts.embedded):
        yield (
            "> **The weights are random.** They were made from a seed, to try things out: these embeddings "
            "are not OpenL3's, and little can be learnt from them."
        )


def _makings(facts: CardFacts, making: Making) -> Iterator[Sequence[object]]:
    own = facts.embedded

    def row(name: str, cells: Iterable[str]) -> Sequence[object]:
        return (name, *cells)

    yield row("network", (network_words(modality, each) for modality, each in own.items()))
    if Modality.AUDIO in own:
        sound = {Modality.AUDIO: (frontend_words(own[Modality.AUDIO]), windows_words(making))}
        yield row("frontend", (sound[modality][0] if modality in sound else "" for modality in own))
        yield row("windows", (sound[modality][1] if modality in sound else "" for modality in own))
    yield row("weights", (weights_words(modality, making) for modality in own))
    yield row("precision", (", ".join(sorted(each.precisions)) for each in own.values()))
    yield row("runtime", (", ".join(sorted(each.runtimes)) for each in own.values()))


def written_files(facts: CardFacts, files: Sequence[CardFile], *, has_lance: bool) -> Iterator[str]:
    """Yield which files there are, and what their columns are."""
    yield "## Files"
    yield table(("file", "bytes", "what"), _file_rows(facts, files))
    yield "`croissant.json` has the SHA-256 of each of them."
    besides = ["an `.npz` file for each input, which the manifest names"] if facts.has_npz else []
    besides += [f"LanceDB tables in `{LANCE_FOLDER}/`"] if has_lance else []
    if besides:
        yield f"The same embeddings are there as {' and '.join(besides)}; these are not listed."
    pooling = ", ".join({own.pooling for own in facts.embedded.values()} - {"none"})
    pooled = f"; a row is pooled over a {facts.noun}'s embeddings ({pooling})" if pooling else ""
    yield f"Columns of the Parquet datasets{pooled}:"
    yield table(("column", "type", "what"), _columns(facts))


def _file_rows(facts: CardFacts, files: Sequence[CardFile]) -> Iterator[Sequence[object]]:
    parts = Counter[Modality]()
    sizes = Counter[Modality]()
    for file in files:
        if file.modality:
            parts[file.modality] += 1
            sizes[file.modality] += file.bytes
    for modality, own in facts.embedded.items():
        words = f"{counted(own.rows, f'{modality.value} embedding')} in {counted(parts[modality], 'part')}"
        yield (f"`{parts_pattern(modality)}`", f"{sizes[modality]:,}", words)
    yield from ((f"`{file.path}`", f"{file.bytes:,}", file.what) for file in files if not file.modality)


def _columns(facts: CardFacts) -> Iterator[Sequence[object]]:
    own = facts.embedded
    for column in next(iter(own.values())).schema:
        kind = NUMBER_TYPES.get(str(column.type), str(column.type))
        if column.name == EMBEDDING:
            number = NUMBER_TYPES[str(column.type.value_type)]
            kind = ", ".join(f"{each.width:,} {number} ({modality.value})" for modality, each in own.items())
        yield (f"`{column.name}`", kind, COLUMNS[column.name])


def how_to_load(facts: CardFacts) -> Iterator[str]:
    """Yield programs that read the export, to be run in its folder."""
    first, *others = (modality.value for modality in facts.embedded)
    rows = "" if facts.embedded[Modality(first)].kind is Rows.FRAMES else ', rows="files"'
    yield "## How to load it"
    also = "".join(f" `{other}` in place of `{first}` gives the {other} embeddings." for other in others)
    yield f"In this folder, each of these gives the {first} embeddings.{also}"
    yield "With pandas:"
    yield (
        "```python\nimport numpy as np\nimport pandas as pd\n\n"
        f'frame = pd.read_parquet("{FOLDER}/{first}")\n'
        'embeddings = np.stack(frame["embedding"])\n```'
    )
    yield "With Hugging Face datasets; on the Hub, the repository's name is in place of this folder's path:"
    yield (
        "```python\nfrom pathlib import Path\n\nfrom datasets import load_dataset\n\n"
        f'dataset = load_dataset(str(Path.cwd()), "{first}", split="train").with_format("numpy")\n'
        'embeddings = dataset[:]["embedding"]\n```'
    )
    yield "With l3embed, which has labels, files and times as arrays beside the embeddings:"
    yield (
        "```python\nimport l3embed\n\n"
        f'export = l3embed.load_export(".", "{first}"{rows})\n'
        "embeddings = export.embeddings\n```"
    )
    yield "With mlcroissant, record by record:"
    yield (
        "```python\nimport mlcroissant\n\n"
        f'records = mlcroissant.Dataset("croissant.json").records("{first}")\n'
        f'embedding = next(iter(records))["{first}/embedding"]\n```'
    )


def licences(study: Study, making: Making, facts: CardFacts) -> Iterator[str]:
    """Yield under which licences what stands."""
    yield "## Licences"
    licence = f"[{plain(study.licence.name)}]({study.licence.url})" if study.licence else f"**{NOT_STATED}**"
    lines = [f"- This dataset: {licence}."]
    if not study.licence:
        lines[0] += " Ask its authors before you use it."
    weights = [making.weights[modality] for modality in facts.embedded]
    lines += dict.fromkeys(f"- The network's weights: {_weights_terms(each)}" for each in weights)
    lines.append(
        "- The files that were embedded: they are not in here, and have licences of their own, which this "
        "card does not know."
    )
    yield "\n".join(lines)


def _weights_terms(weights: Weights) -> str:
    if weights.terms:
        return weights.terms
    if not weights.trained:
        return "random, made by l3embed from a seed."
    return f"its authors' own; their licence is **{NOT_STATED}**."


def how_to_cite(study: Study) -> Iterator[str]:
    """Yield what to cite."""
    yield "## How to cite"
    facts = [f"By {', '.join(map(plain, study.authors))}."] if study.authors else []
    facts += [f"Version {plain(study.version)}."] if study.version else []
    facts += [f"Published on {study.published}."] if study.published else []
    facts += [f"<{study.url}>"] if study.url else []
    about = "".join(f" {fact}" for fact in facts)
    if study.citation:
        yield f"This dataset:{about}" if about else "This dataset:"
        yield f"```bibtex\n{study.citation.strip()}\n```"
    else:
        yield f"This dataset: a citation is **{NOT_STATED}**.{about}"
    yield "OpenL3, whose authors ask for these two papers to be cited, and l3embed:"
    yield "```bibtex\n" + "\n\n".join((*PAPERS, SOFTWARE)) + "\n```"
