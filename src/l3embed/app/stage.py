"""``python -m l3embed.app.stage NAME``: run one stage with the settings of ``params.yaml``, as DVC does."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from l3embed.app.settings import Settings, read_settings
from l3embed.cli.main import EXIT_FAILURE, EXIT_INTERRUPTED, show_warning
from l3embed.errors import OpenL3Error
from l3embed.progress import say
from l3embed.stages import embed, export, preprocess, weights

WEIGHTS = Path("data/weights")
PREPROCESSED = Path("data/preprocessed")
EMBEDDINGS = Path("data/embeddings")
EXPORT = Path("data/export")
METRICS = Path("data/metrics.json")


def run_weights(settings: Settings) -> str:
    """Run the stage ``weights``."""
    return weights.run(settings.variant.weight_set, settings.weights.parse(), WEIGHTS)


def run_preprocess(settings: Settings) -> str:
    """Run the stage ``preprocess``."""
    return preprocess.run(Path(settings.dataset.path), settings.preprocessed, PREPROCESSED)


def run_embed(settings: Settings) -> str:
    """Run the stage ``embed``."""
    options = embed.EmbedOptions(
        variant=settings.variant,
        framing=settings.windows.framing(),
        device=settings.device.device,
        batch_size=settings.device.batch_size,
    )
    return embed.run(PREPROCESSED, WEIGHTS, options, EMBEDDINGS)


def run_export(settings: Settings) -> str:
    """Run the stage ``export``."""
    return export.run(EMBEDDINGS, EXPORT, METRICS)


STAGES: dict[str, Callable[[Settings], str]] = {
    "weights": run_weights,
    "preprocess": run_preprocess,
    "embed": run_embed,
    "export": run_export,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stage and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m l3embed.app.stage", description="Run one stage of dvc.yaml."
    )
    parser.add_argument("stage", choices=STAGES)
    args = parser.parse_args(arguments)
    warnings.showwarning = show_warning
    try:
        say(STAGES[args.stage](read_settings()))
    except (OpenL3Error, OSError) as error:
        sys.stderr.write(f"{args.stage}: error: {error}\n")
        return EXIT_FAILURE
    except KeyboardInterrupt:
        sys.stderr.write(f"{args.stage}: interrupted; 'dvc repro' begins with this stage again.\n")
        return EXIT_INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
