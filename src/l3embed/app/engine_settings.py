"""The group of settings ``engine``: where parts of a packed run are computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from l3embed.engines.contract import EngineOptions
from l3embed.engines.engine_table import LOCAL, check_engine
from l3embed.errors import OpenL3Error
from l3embed.variants import check_at_least, check_one_of

EXECUTORS = ("slurm", "local")


@dataclass
class EngineSettings:
    """Where parts are computed. A choice of ``conf/engine`` has those of the settings that it reads."""

    name: str = LOCAL
    address: str | None = None
    actors: int | None = None
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    shards: int = 8
    executor: str = "slurm"
    job: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_engine("engine.name", self.name)
        check_at_least("engine.actors", 1 if self.actors is None else self.actors, 1)
        check_at_least("engine.shards", self.shards, 1)
        check_one_of("engine.executor", self.executor, EXECUTORS)
        for name in ("num_cpus", "num_gpus"):
            _check_share(f"engine.{name}", getattr(self, name), least=0.01 if name == "num_cpus" else 0)

    @property
    def is_local(self) -> bool:
        """Whether parts are computed in this process."""
        return self.name == LOCAL

    def parse(self) -> EngineOptions:
        """Return the engines' word for it."""
        job = tuple((name, value) for name, value in self.job.items() if value is not None)
        shares = {"num_cpus": self.num_cpus, "num_gpus": self.num_gpus}
        return EngineOptions(
            self.address, self.actors, **shares, shards=self.shards, executor=self.executor, job=job
        )


def _check_share(argument: str, value: float, least: float) -> None:
    """Check a share of a machine as Ray has it: a part of one, or a whole number."""
    if not (least <= value < float("inf")) or (value > 1 and value != int(value)):
        raise OpenL3Error(
            f"{argument} must be a number from {least:g} to 1, or a whole number above; got {value:g}."
        )
