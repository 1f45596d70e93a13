"""MTEB evaluates the encoder on a tiny task of its own: tones and noise, at two sample rates."""

from typing import Any

import mteb
import numpy as np
from datasets import Dataset, DatasetDict
from mteb.abstasks import AbsTaskClassification
from mteb.abstasks.task_metadata import TaskMetadata

from l3embed.interfaces.mteb import model_meta


def sound(label: int, number: int) -> dict[str, Any]:
    rate_hz = (16_000, 48_000)[number % 2]
    numbers = np.random.default_rng(number)
    times_s = np.arange(rate_hz) / rate_hz
    tone = 0.3 * np.sin(2 * np.pi * (300 + 50 * number) * times_s)
    return {"array": numbers.uniform(-0.3, 0.3, rate_hz) if label else tone, "sampling_rate": rate_hz}


def split(first: int, count: int) -> Dataset:
    labels = [number % 2 for number in range(count)]
    sounds = [sound(label, first + number // 2) for number, label in enumerate(labels)]
    return Dataset.from_dict({"audio": sounds, "label": labels})


class TonesOrNoise(AbsTaskClassification):  # type: ignore[misc]
    """Tells tones from noise."""

    metadata = TaskMetadata(
        name="TonesOrNoise",
        description="Tones and white noise.",
        type="AudioClassification",
        modalities=["audio"],
        category="a2c",
        dataset={"path": "NA", "revision": "1"},
        eval_splits=["test"],
        eval_langs=["zxx-Zxxx"],
        main_score="accuracy",
        reference=None,
        date=None,
        domains=None,
        task_subtypes=None,
        license=None,
        annotations_creators=None,
        dialect=None,
        sample_creation=None,
        bibtex_citation=None,
    )
    input_column_name = "audio"
    samples_per_label = 4
    n_experiments = 2

    def load_data(self, **_: Any) -> None:
        self.dataset = DatasetDict({"train": split(0, 8), "test": split(10, 8)})
        self.data_loaded = True


meta = model_meta("mel128", embedding_size=512)
print(meta.name, meta.revision, meta.n_parameters)
results = mteb.evaluate(meta.load_model(), TonesOrNoise(), cache=None, show_progress_bar=False)
for result in results:
    print(result.task_name, "accuracy", result.get_score())
