"""A comparison as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from l3embed.export.doubts import Doubt
from l3embed.report.changed_neighbours import NeighbourChanges
from l3embed.report.changed_scores import ClassChange, Judgement, ScoreChanges
from l3embed.report.comparison import Comparison, DoubtChanges, ModalityChanges
from l3embed.report.comparison_words import (
    doubt_words,
    file_words,
    judgement_words,
    neighbour_words,
    number_words,
    reason_words,
)
from l3embed.report.formatting import format_count
from l3embed.variants import Modality

MOST_NAMED = 5
"""Files and doubts that are named of each kind; the page and the JSON name more."""

MOST_CLASSES = 20
"""Of more, so many have a line: those that fell and those that rose most."""

TITLES = {Modality.AUDIO: "Sound (audio)", Modality.IMAGE: "Pictures (image)"}
NONE = "-"

Rows = Iterable[Sequence[str]]


def text_lines(comparison: Comparison) -> Iterator[str]:
    """Yield a summary of what changed; names are written so that no terminal can stumble over them."""
    yield from map(printable, _lines(comparison))


def printable(text: str) -> str:
    """Return a text without line ends and control characters, which names of files may hold."""
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in plain)


def _lines(comparison: Comparison) -> Iterator[str]:
    yield f"A: {comparison.a.name}"
    yield f"B: {comparison.b.name}"
    yield from comparison.left_out
    yield ""
    yield f"Files: {file_words(comparison)}"
    yield from _indented(_file_changes(comparison))
    yield ""
    yield "Settings and versions" + (" that differ:" if comparison.settings else ": none differ")
    changes = ((each.name, each.a or NONE, each.b or NONE) for each in comparison.settings)
    yield from _table(("", "A", "B"), changes, "<<<")
    for each in comparison.modalities:
        yield ""
        yield from _modality_lines(each)
    yield ""
    yield from _doubt_lines(comparison.doubts)


def _file_changes(comparison: Comparison) -> Iterator[tuple[str, Iterable[str]]]:
    files = comparison.files
    yield "added", [file.path for file in files.added]
    yield "removed", [file.path for file in files.removed]
    yield "renamed (same bytes)", [f"{pair.a.path} -> {pair.b.path}" for pair in files.renamed]
    yield (
        "relabelled",
        [f"{pair.b.path} ({pair.a.label or NONE} -> {pair.b.label or NONE})" for pair in files.relabelled],
    )
    yield "other bytes", [pair.b.path for pair in files.rewritten]
    yield "failed in B alone", [f"{row.path} ({row.modality}): {row.reason}" for row in comparison.failed]
    yield "failed in A alone", [f"{row.path} ({row.modality}): {row.reason}" for row in comparison.recovered]


def _indented(kinds: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    for kind, items in kinds:
        named = list(items)
        if named:
            yield f"  {kind}: {format_count(len(named))}"
            yield from _few(named)


def _few(items: Sequence[str]) -> Iterator[str]:
    yield from (f"    {item}" for item in items[:MOST_NAMED])
    if len(items) > MOST_NAMED:
        yield f"    and {format_count(len(items) - MOST_NAMED)} more"


def _modality_lines(changes: ModalityChanges) -> Iterator[str]:
    yield TITLES[changes.modality]
    yield from (f"  {words}" for words in neighbour_words(changes.neighbours))
    if words := number_words(changes.neighbours):
        yield f"  {words}"
    yield from _most_changed(changes.neighbours)
    yield from _score_lines(changes.scores)


def _most_changed(changes: NeighbourChanges) -> Iterator[str]:
    places = changes.most_changed
    if not places:
        return
    yield "  Neighbours changed most:"
    kept = changes.kept
    items = [f"{changes.pairs[place].b.path}: keeps {kept[place]} of {changes.count}" for place in places]
    yield from _few(items)


def _score_lines(scores: ScoreChanges) -> Iterator[str]:
    if words := reason_words(scores):
        yield f"  {words}"
    figures = (
        (
            f"{each.classifier.value} {each.measure.value}",
            _percent(each.a.value if each.a else None),
            _percent(each.b.value if each.b else None),
            _points(each.difference),
        )
        for each in scores.scores
    )
    yield from _table(("%", "A", "B", "B - A"), figures, "<>>>")
    classes = (
        (
            each.label,
            str(each.a.files) if each.a else NONE,
            str(each.b.files) if each.b else NONE,
            _percent(each.a.recall if each.a else None),
            _percent(each.b.recall if each.b else None),
            _points(each.recall_difference),
            _percent(each.a.f1 if each.a else None),
            _percent(each.b.f1 if each.b else None),
            _points(each.f1_difference),
        )
        for each in _extremes(scores.classes)
    )
    of_a, of_b = scores.units
    counts = (f"{of_a}s A", "B" if scores.unit else f"{of_b}s B")
    header = ("class", *counts, "accuracy, % A", "B", "B - A", "F1, % A", "B", "B - A")
    yield from _table(header, classes, "<>>>>>>>>")
    if len(scores.classes) > MOST_CLASSES:
        yield f"  and {format_count(len(scores.classes) - MOST_CLASSES)} classes in between"
    yield from (f"  {words}" for words in judgement_words(scores))
    for title, (a, b) in {
        "Right in A, wrong in B": (True, False),
        "Wrong in A, right in B": (False, True),
    }.items():
        yield from _judgement_lines(title, scores.judged(a=a, b=b))


def _extremes(classes: Sequence[ClassChange]) -> Sequence[ClassChange]:
    """Return the first and the last classes, if there are many."""
    half = MOST_CLASSES // 2
    return classes if len(classes) <= MOST_CLASSES else [*classes[:half], *classes[-half:]]


def _judgement_lines(title: str, judgements: Sequence[Judgement]) -> Iterator[str]:
    if judgements:
        yield f"  {title}: {format_count(len(judgements))}"
        yield from _few([_judgement(each) for each in judgements])


def _judgement(each: Judgement) -> str:
    actual = each.b.actual if each.a.actual == each.b.actual else f"{each.a.actual} -> {each.b.actual}"
    return f"{each.b.path} ({actual}): taken for {each.a.predicted} -> {each.b.predicted}"


def _doubt_lines(doubts: DoubtChanges) -> Iterator[str]:
    yield f"Doubts: {doubt_words(doubts)}" if not doubts.missing else doubt_words(doubts)
    yield from _indented((("came", map(_doubt, doubts.came)), ("went", map(_doubt, doubts.went))))


def _doubt(doubt: Doubt) -> str:
    return f"{doubt.path} ({doubt.kind.value}): {doubt.words}"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"


def _points(difference: float | None) -> str:
    return NONE if difference is None else f"{round(100 * difference, 1) + 0.0:+.1f}"  # no -0.0


def _table(header: Sequence[str], rows: Rows, sides: str) -> Iterator[str]:
    """Yield rows in columns that are as wide as they need to be; nothing without rows."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    for row in (header, *cells):
        padded = (f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True))
        yield f"  {'  '.join(padded)}".rstrip()
