"""Distances between sets of sounds or pictures: Fréchet (FD, FAD), KAD, and FAD-infinity.

Importing this loads nothing else: each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from l3embed.distances.distance_options import DistanceMeasure, DistanceOptions
    from l3embed.distances.distance_results import Comparison, Distance, FileDistance
    from l3embed.distances.extrapolation import Extrapolation, frechet_distance_infinity
    from l3embed.distances.frechet import frechet_distance
    from l3embed.distances.kernel import kernel_distance, median_distance
    from l3embed.distances.measuring import measure_distances
    from l3embed.distances.statistics_file import read_statistics, write_statistics
    from l3embed.distances.streamed_statistics import RunningStatistics, Statistics
else:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


__all__ = [
    "Comparison",
    "Distance",
    "DistanceMeasure",
    "DistanceOptions",
    "Extrapolation",
    "FileDistance",
    "RunningStatistics",
    "Statistics",
    "frechet_distance",
    "frechet_distance_infinity",
    "kernel_distance",
    "measure_distances",
    "median_distance",
    "read_statistics",
    "write_statistics",
]

_HOMES = {
    "Comparison": "distance_results",
    "Distance": "distance_results",
    "DistanceMeasure": "distance_options",
    "DistanceOptions": "distance_options",
    "Extrapolation": "extrapolation",
    "FileDistance": "distance_results",
    "RunningStatistics": "streamed_statistics",
    "Statistics": "streamed_statistics",
    "frechet_distance": "frechet",
    "frechet_distance_infinity": "extrapolation",
    "kernel_distance": "kernel",
    "measure_distances": "measuring",
    "median_distance": "kernel",
    "read_statistics": "statistics_file",
    "write_statistics": "statistics_file",
}
"""The module of each name."""


def __dir__() -> list[str]:
    return __all__
