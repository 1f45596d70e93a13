"""A made-up task in HEAR's layout: two classes of tones, and one onset in each sound of the other task."""

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 48_000
SECONDS = 1.5
SPLITS = ("train", "valid", "test")


def tone(frequency_hz: float, onset_s: float) -> npt.NDArray[np.float64]:
    times_s = np.arange(int(SECONDS * RATE_HZ)) / RATE_HZ
    tone: npt.NDArray[np.float64] = np.sin(2 * np.pi * frequency_hz * times_s)
    return 0.3 * tone * (times_s >= onset_s)


def write_task(folder: Path, kind: str) -> None:
    folder.mkdir(parents=True)
    (folder / "labelvocabulary.csv").write_text("idx,label\n0,low\n1,high\n")
    metadata = {
        "embedding_type": kind,
        "prediction_type": "multiclass" if kind == "scene" else "multilabel",
        "sample_duration": SECONDS,
        "splits": SPLITS,
    }
    (folder / "task_metadata.json").write_text(json.dumps(metadata))
    for number, split in enumerate(SPLITS):
        labels = {}
        (folder / str(RATE_HZ) / split).mkdir(parents=True)
        for label, frequency_hz in (("low", 200 + number), ("high", 3000 + number)):
            name = f"{label}.wav"
            soundfile.write(folder / str(RATE_HZ) / split / name, tone(frequency_hz, 0.5), RATE_HZ)
            event = {"start": 500.0, "end": 1000 * SECONDS, "label": label}
            labels[name] = [label] if kind == "scene" else [event]
        (folder / f"{split}.json").write_text(json.dumps(labels))


for task in ("scene", "event"):
    write_task(Path(sys.argv[1]) / f"made_up_{task}", task)
