"""The table of engines: where the parts of a packed run are computed.

A new engine is a module that keeps the contract in `l3embed.engines.contract`, a row here, and a file in
``conf/engine``. No module is imported before it is needed.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from l3embed.errors import OpenL3Error
from l3embed.variants import check_one_of

if TYPE_CHECKING:
    from l3embed.engines.contract import BatchEngine, CommandEngine, EngineOptions

LOCAL = "local"
"""The engine that is none: parts are computed in the process of the stage."""


@dataclass(frozen=True)
class Row:
    """An engine.

    Parameters
    ----------
    module : str
        Keeps the contract.
    requires : str
        What it imports.
    extra : str
        What pip brings that by.
    runs_commands : bool
        Whether it runs command lines, each of which runs stages; else it runs functions within a stage.
    """

    module: str
    requires: str
    extra: str
    runs_commands: bool = False


ENGINES: dict[str, Row | None] = {
    LOCAL: None,
    "ray": Row("l3embed.engines.ray_data", requires="ray", extra="ray"),
    "slurm": Row("l3embed.engines.slurm_array", requires="submitit", extra="slurm", runs_commands=True),
}
"""All engines, by their names."""


def check_engine(argument: str, name: object) -> None:
    """Check that there is such an engine, and that what it needs is installed.

    Raises
    ------
    OpenL3Error
        Naming the argument, what came and what is allowed, or the command of pip.
    """
    check_one_of(argument, name, tuple(ENGINES))
    row = ENGINES[str(name)]
    if row and importlib.util.find_spec(row.requires) is None:
        raise OpenL3Error(
            f"{argument} is {name}, which is not installed: pip install 'l3embed[{row.extra}]'."
        )


def runs_commands(name: str) -> bool:
    """Tell whether an engine runs command lines."""
    row = ENGINES[name]
    return row is not None and row.runs_commands


def batch_engine(name: str, options: EngineOptions) -> BatchEngine | None:
    """Return the engine that runs functions; None: they are run where they are called.

    Raises
    ------
    OpenL3Error
        If the engine runs command lines.
    """
    row = ENGINES[name]
    if row is None:
        return None
    if row.runs_commands:
        able = [other for other in ENGINES if not runs_commands(other)]
        raise OpenL3Error(
            f"engine={name} runs whole shards of l3embed-pipeline, and a stage alone cannot be given to it. "
            f"Run 'l3embed-pipeline engine={name} ...' first: DVC's stages find all that it has computed in "
            f"the store. Or set engine={' or '.join(able)}."
        )
    return cast("BatchEngine", import_module(row.module).batch_engine(options))


def command_engine(name: str, options: EngineOptions) -> CommandEngine:
    """Return an engine that runs command lines."""
    row = cast("Row", ENGINES[name])
    return cast("CommandEngine", import_module(row.module).command_engine(options))
