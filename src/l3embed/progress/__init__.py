"""What a run tells its user while it works: lines, progress bars, and counts in words."""

from l3embed.progress.bars import is_drawn, progress_bar, quietly, say, tell
from l3embed.progress.file_progress import FileProgress
from l3embed.progress.wording import counted
from l3embed.progress.workload import Expected, Workload

__all__ = [
    "Expected",
    "FileProgress",
    "Workload",
    "counted",
    "is_drawn",
    "progress_bar",
    "quietly",
    "say",
    "tell",
]
