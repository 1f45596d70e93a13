"""The group of settings ``engine``: where parts of a packed run are computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from l3embed.app.rules import at_least, check_rules, one_of
from l3embed.engines.contract import EngineOptions
from l3embed.engines.engine_table import ENGINES, LOCAL, check_engine


@dataclass
class EngineSettings:
    """Where parts are computed. A choice of ``conf/engine`` has those of the settings that it reads."""

    name: str = one_of(ENGINES, LOCAL)
    address: str | None = None
    actors: int | None = at_least(1, None)
    num_cpus: float = at_least(0.01, 1.0, is_share=True)
    num_gpus: float = at_least(0, 0.0, is_share=True)
    shards: int = at_least(1, 8)
    executor: str = one_of(("slurm", "local"), "slurm")
    job: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_engine("engine.name", self.name)
        check_rules("engine.", self)

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
