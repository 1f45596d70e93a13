"""perch-hoplite embeds a folder, and finds the copy of a second of one file that lies in another."""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from ml_collections import config_dict
from perch_hoplite.agile import embed, source_info
from perch_hoplite.db import db_loader

from l3embed.interfaces.hoplite import OpenL3Model

RATE_HZ = 48_000


def noisy_tone(number: int) -> npt.NDArray[np.float64]:
    numbers = np.random.default_rng(number)
    times_s = np.arange(3 * RATE_HZ) / RATE_HZ
    sweep = np.sin(2 * np.pi * (200 + 300 * number) * times_s * (1 + times_s / 5))
    return 0.2 * sweep + 0.05 * numbers.normal(size=len(times_s))


folder = Path(sys.argv[1])
(folder / "site").mkdir(parents=True)
sounds = [noisy_tone(number) for number in range(4)]
planted = sounds[1][RATE_HZ : 2 * RATE_HZ]
sounds[3][:RATE_HZ] = planted
for number, samples in enumerate(sounds):
    soundfile.write(folder / "site" / f"{number}.wav", samples, RATE_HZ, subtype="FLOAT")

config = config_dict.create(input_repr="mel128", embedding_size=512, hop_size_s=0.5)
model = OpenL3Model.from_config(config)
database = db_loader.create_new_usearch_db(str(folder / "db"), model.embedding_size)
glob = source_info.AudioSourceConfig("sounds", str(folder), "*/*.wav")
worker = embed.EmbedWorker(
    audio_sources=source_info.AudioSources((glob,)),
    model_config=embed.ModelConfig("l3embed", model.embedding_size, config),
    db=database,
    embedding_model=model,
)
worker.process_all()
print(database.count_embeddings(), "embeddings")

query = model.embed(planted.astype(np.float32)).embeddings[0, 0]
matches = database.search(query, 3, approximate=False)
for match in sorted(matches.search_results, reverse=True):
    window = database.get_window(match.window_id)
    name = database.get_recording(window.recording_id).filename
    print(f"{name} from {window.offsets[0]:g} s: {match.sort_score:.4f}")
