"""``l3embed-params``: compose ``conf/`` into ``params.yaml``, which the pipeline's stages read.

DVC does the same at ``dvc exp run``, and writes the same bytes. Hydra is imported when there is something to
compose: a shell that asks for completions has its answer before.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from l3embed.app.schema_file import CONFIG_FOLDER, PARAMS_FILE, PROJECT_FILE, SCHEMA_FILE, add_overrides
from l3embed.cli.completion import complete
from l3embed.cli.interruption import answering
from l3embed.disk.atomic import replacing
from l3embed.errors import OpenL3Error, source_faults

PROGRAM = "l3embed-params"
CONFIG_NAME = "config"

ABSENT = "(absent)"
"""Stands for a setting that is not there, before or after a change."""


def compose_params(config_folder: Path, overrides: Sequence[str] = ()) -> str:
    """Compose the settings and return the text of ``params.yaml``.

    Parameters
    ----------
    config_folder : Path
        The folder ``conf``.
    overrides : sequence of str
        In Hydra's notation: ``weights=random``, ``model.input_repr=mel128``.

    Raises
    ------
    OpenL3Error
        If there is no such setting or choice, or a value is not allowed.
    """
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    from l3embed.app.overrides import prepare_overrides
    from l3embed.app.settings import parse_settings

    check_project(config_folder)
    prepared = prepare_overrides(overrides, config_folder)
    # Besides what Hydra means to raise there is what it stumbles over.
    with source_faults("The settings could not be composed"):
        try:
            with initialize_config_dir(str(config_folder.resolve()), version_base="1.3"):
                settings = compose(CONFIG_NAME, overrides=prepared)
            OmegaConf.resolve(settings)
            text = OmegaConf.to_yaml(settings)
        except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
            raise OpenL3Error(f"The settings could not be composed. {_reason(error)}") from error
    parse_settings(settings)
    return text


def check_project(config_folder: Path = CONFIG_FOLDER) -> None:
    """Check that settings can be composed here.

    Raises
    ------
    OpenL3Error
        If this is no project's folder.
    """
    if not (config_folder / f"{CONFIG_NAME}.yaml").is_file():
        raise OpenL3Error(
            f"There is no {config_folder}/{CONFIG_NAME}.yaml here. Run this in the project's folder."
        )


def _reason(error: Exception) -> str:
    """Return an error's words: without Hydra's advice that does not hold here, with advice that does."""
    from hydra.errors import OverrideParseException

    words = re.split(r"\n+(?:To append to your config|Config search path|See https)", str(error))[0]
    if isinstance(error, OverrideParseException):
        words += "\nPut a value with signs in it in quotes, twice: \"dataset.exclude=['~my, recordings']\"."
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Write ``params.yaml``, or check it; return the exit status."""
    if arguments is None:
        return answering(PROGRAM, lambda: main(sys.argv[1:]))
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Compose conf/ into params.yaml, which 'dvc repro' reads."
    )
    add_overrides(parser, "as in weights=random model.input_repr=mel128")
    parser.add_argument("--check", action="store_true", help="only say whether params.yaml agrees with conf/")
    parser.add_argument(
        "--schema",
        nargs="?",
        type=Path,
        const=PROJECT_FILE,
        metavar="FILE",
        help="only write the JSON schema by which editors complete and check conf/ and params.yaml "
        "(default: %(const)s)",
    )
    complete(parser)
    args = parser.parse_args(arguments)
    try:
        if args.schema:
            return _write_schema(args.schema)
        text = compose_params(CONFIG_FOLDER, args.overrides)
        return _check(text) if args.check else _write(text)
    except (OpenL3Error, OSError) as error:
        sys.stderr.write(f"{PROGRAM}: error: {error}\n")
        return 1


def _write_schema(file: Path) -> int:
    with replacing(file) as temporary:
        temporary.write_bytes(SCHEMA_FILE.read_bytes())
    sys.stdout.write(f"{file} is written.\n")
    return 0


def _write(text: str) -> int:
    from omegaconf import OmegaConf

    from l3embed.app.paths import check_paths, without_effect
    from l3embed.app.settings import parse_settings

    settings = parse_settings(OmegaConf.create(text))
    check_paths(settings)
    for sentence in without_effect(settings):
        sys.stderr.write(f"{PROGRAM}: warning: {sentence}\n")
    changes = _changes(text)
    with replacing(PARAMS_FILE) as temporary:
        temporary.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{PARAMS_FILE} is written; 'dvc repro' computes what it asks for.{changes}\n")
    return 0


def _changes(text: str) -> str:
    """Return what the settings change against those that are there, a line each."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        before = OmegaConf.to_container(OmegaConf.load(PARAMS_FILE))
    except FileNotFoundError:
        return ""
    except (YAMLError, OmegaConfBaseException, OSError, ValueError):
        return f"\nWhat was in {PARAMS_FILE} could not be read."
    old, new = dict(_leaves(before)), dict(_leaves(OmegaConf.to_container(OmegaConf.create(text))))
    lines = [
        f"  {key}: {old.get(key, ABSENT)} -> {new.get(key, ABSENT)}"
        for key in dict.fromkeys((*new, *old))
        if old.get(key) != new.get(key)
    ]
    return "\nChanged:\n" + "\n".join(lines) if lines else "\nNothing changed."


def _leaves(values: Any, group: str = "") -> Iterator[tuple[str, str]]:
    """Yield all settings with their values, as JSON has them; texts are as they are."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _leaves(value, f"{group}.{name}" if group else str(name))
    else:
        yield (
            group,
            values if isinstance(values, str) else json.dumps(values, ensure_ascii=False, default=str),
        )


def _check(text: str) -> int:
    if PARAMS_FILE.is_file() and PARAMS_FILE.read_text(encoding="utf-8") == text:
        return 0
    raise OpenL3Error(f"{PARAMS_FILE} does not agree with {CONFIG_FOLDER}/. Write it anew: make params.")


if __name__ == "__main__":
    sys.exit(main())
