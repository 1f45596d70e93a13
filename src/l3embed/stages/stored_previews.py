"""Previews of single files, which the store keeps: a new file has the page made anew, but not the others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.errors import OpenL3Error
from l3embed.listings.fetching import Opening
from l3embed.report.previews import Preview, Subject, make_preview
from l3embed.stages.dataset_input import Input
from l3embed.stages.metrics import Counts
from l3embed.stages.opening import location_of, opened_ahead
from l3embed.store.code import recipe_of
from l3embed.store.entries import Entry, Store
from l3embed.store.recipe import Parameter, Recipe, Step
from l3embed.store.reuse import Computed, resolve

SOUND_FILE = "sound.mp3"
PICTURE_FILE = "picture.jpg"
"""Files of a stored result; a recording has the first, an image the second, a video may have both."""

MOST_WORKERS = 4
"""Files that are previewed at once, where there are as many cores."""


class StoredPreviews:
    """Previews of a dataset's files, by the files' bytes; those that are not in the store are put there.

    Parameters
    ----------
    dataset : Path
        The folder of the files.
    store : Store
        Where they are found and kept.
    pool : Executor
        In which they are made.

    Attributes
    ----------
    counts : Counts
        What became of the subjects that were asked for.
    """

    def __init__(self, dataset: Path, store: Store, pool: Executor) -> None:
        self._dataset, self._store, self._pool = dataset, store, pool
        self.counts = Counts()

    def __call__(self, subjects: Sequence[Subject]) -> list[Preview | OpenL3Error]:
        """Return the preview of each subject, or the fault that there is none."""
        found: dict[Subject, Preview | OpenL3Error] = {}
        recipes: dict[Subject, Recipe] = {}
        for subject in subjects:
            try:
                recipes[subject] = self._recipe(subject)
            except OpenL3Error as error:
                found[subject] = error
                self.counts.add(was_computed=False, failed=True)
        for outcome in resolve(self._store, recipes, lambda claimed: self._make(claimed, recipes)):
            result = outcome.result
            self.counts.add(outcome.was_computed, failed=isinstance(result, OpenL3Error))
            found[outcome.key] = _read(result) if isinstance(result, Entry) else result
        return [found[subject] for subject in subjects]

    def _recipe(self, subject: Subject) -> Recipe:
        parameters: dict[str, Parameter] = {
            "media": subject.media.value,
            "sound": subject.has_sound,
            "picture": subject.has_picture,
        }
        if subject.section:
            parameters |= subject.section.parameters
        return recipe_of(Step.PREVIEW, self._digest(subject), parameters)

    def _digest(self, subject: Subject) -> str:
        """Return the checksum of a file as it is now, which may not be what was embedded.

        Of a file elsewhere it is that of what was embedded: a fetched one has to have it.
        """
        location = location_of(_input(subject), self._dataset)
        if not location.is_local_file:
            return subject.sha256
        try:
            return self._store.digests.sha256(Path(location.address))
        except FileNotFoundError as error:
            raise OpenL3Error("There is no such file.") from error
        except OSError as error:
            raise OpenL3Error(f"It could not be read: {error.strerror}.") from error

    def _make(
        self, claimed: Iterator[Subject], recipes: Mapping[Subject, Recipe]
    ) -> Iterator[Computed[Subject]]:
        """Make previews, several at once; the store is for this thread alone."""
        files = opened_ahead(claimed, self._dataset, _input)
        futures = {subject: self._pool.submit(_preview, file, subject) for subject, file in files}
        for subject, future in futures.items():
            try:
                preview = future.result()
                self._check_unchanged(subject, recipes[subject])
            except OpenL3Error as error:
                yield subject, error
            else:
                yield subject, self._keep(recipes[subject], preview)

    def _check_unchanged(self, subject: Subject, recipe: Recipe) -> None:
        if self._digest(subject) != recipe.sha256:
            raise OpenL3Error("The file changed while it was being read. Run the stage again.")

    def _keep(self, recipe: Recipe, preview: Preview) -> Entry:
        parts = {SOUND_FILE: preview.sound, PICTURE_FILE: preview.picture}
        names = [name for name, content in parts.items() if content]
        for name in names:
            path = self._store.path(recipe, name)
            with self._store.explaining_disk_errors(), replacing(path) as temporary:
                temporary.write_bytes(parts[name])
        return self._store.put(recipe, names, {})


@contextmanager
def stored_previews(dataset: Path, store: Store) -> Iterator[StoredPreviews]:
    """Yield what makes and finds the previews of a dataset, on several cores."""
    with ThreadPoolExecutor(min(MOST_WORKERS, os.cpu_count() or 1)) as pool:
        yield StoredPreviews(dataset, store, pool)


def _input(subject: Subject) -> Input:
    return Input(subject.path, subject.media, subject.location or None, sha256=subject.sha256 or None)


def _preview(file: Opening, subject: Subject) -> Preview:
    with file as path:
        return make_preview(path, subject)


def _read(entry: Entry) -> Preview:
    sound, picture = (
        entry.files[name].read_bytes() if name in entry.files else b"" for name in (SOUND_FILE, PICTURE_FILE)
    )
    return Preview(sound, picture)
