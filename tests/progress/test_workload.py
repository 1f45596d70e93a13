"""How much is left: from what files say, from their sizes, and from what has come."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import redirect_stderr
from itertools import groupby

import pytest
from conftest import Terminal

from l3embed.progress import Expected, FileProgress, Workload

BATCH = 32
WINDOW_S = 0.1

WINDOWS = 100
"""Windows that each test's file makes, unless the test says otherwise."""


def of_sizes(**sizes: int) -> Mapping[str, Expected]:
    return {name: Expected(name, "wav", size) for name, size in sizes.items()}


def test_what_files_say_is_summed_up() -> None:
    files = {"a": Expected("a", "wav", 1, items=5), "b": Expected("b", "wav", 1, items=70)}
    assert Workload(files).total == 75


def test_without_any_hint_nothing_is_said_until_a_file_has_come() -> None:
    workload = Workload(of_sizes(a=10, b=1000))
    totals = [workload.total]
    workload.add("a", WINDOWS)
    totals.append(workload.total)
    workload.end("a")
    totals.append(workload.total)

    assert totals == [None, None, WINDOWS + 100 * WINDOWS]


def test_files_of_unknown_length_are_taken_to_be_like_the_others_of_their_kind() -> None:
    files = {
        "a": Expected("a", "wav", 10, items=5),
        "b": Expected("b", "mp3", 10, items=50),
        "c": Expected("c", "mp3", 20),
    }
    assert Workload(files).total == 5 + 50 + 100


def test_a_file_that_makes_more_than_it_says_raises_the_total_at_once() -> None:
    workload = Workload({"a": Expected("a", "wav", 1, items=5), "b": Expected("b", "wav", 1, items=5)})
    workload.add("a", 9)
    assert workload.total == 9 + 5


def test_a_file_that_makes_less_than_it_says_lowers_the_total_at_its_end() -> None:
    workload = Workload({"a": Expected("a", "wav", 1, items=500), "b": Expected("b", "wav", 1, items=5)})
    workload.add("a", 9)
    assert workload.total == 505
    workload.end("a")
    assert workload.total == 9 + 5


def test_a_faulty_file_says_nothing_of_others() -> None:
    files = of_sizes(broken=1000, whole=10, other=10)
    workload = Workload({**files, "known": Expected("known", "wav", 10, items=WINDOWS)})
    workload.end("broken")
    assert workload.total == 3 * WINDOWS


def test_all_that_came_is_the_total_in_the_end() -> None:
    workload = Workload({**of_sizes(a=10, b=1000, c=3), "d": Expected("d", "flac", 7, items=3)})
    for name, items in (("a", 1.5), ("d", 20), ("b", 0), ("c", 6.5)):
        workload.add(name, items)
        workload.end(name)
    assert (workload.done, workload.total) == (28, 28)


@pytest.mark.parametrize("long_one", [0, 25, 50], ids="the long file is the {}th".format)
@pytest.mark.parametrize("are_headers_read", [True, False])
def test_the_time_left_is_right_for_a_long_file_among_short_ones(
    long_one: int, are_headers_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes on by a tenth of a second a window; a batch brings what is in it at once."""
    sounds_s = [600 if number == long_one else 1 for number in range(51)]
    windows = [10 * (seconds - 1) + 6 for seconds in sounds_s]  # at the default hop
    bytes_a_second = 96_000
    files = {
        number: Expected(
            f"{number}.wav",
            "wav",
            seconds * bytes_a_second,
            windows[number] if are_headers_read or number == long_one else None,
        )
        for number, seconds in enumerate(sounds_s)
    }
    now_s = 1000.0
    monkeypatch.setattr("tqdm.std.time", lambda: now_s)
    owners = [number for number, count in enumerate(windows) for _ in range(count)]
    with redirect_stderr(Terminal()), FileProgress("Embedding", Workload(files), "window") as progress:
        for start in range(0, len(owners), BATCH):
            now_s += BATCH * WINDOW_S
            for number, own in groupby(owners[start : start + BATCH]):
                progress.add(number, len(list(own)))
                if number not in owners[start + BATCH :]:
                    progress.end(number)
            really_left_s = WINDOW_S * len(owners[start + BATCH :])
            if really_left_s > WINDOW_S * BATCH:
                assert really_left_s / 2 < left_s(progress) < 2 * really_left_s


def left_s(progress: FileProgress[int]) -> float:
    """The time left that a bar tells."""
    figures = progress._bar.format_dict
    rate = figures["rate"] or figures["n"] / figures["elapsed"]
    return float((figures["total"] - figures["n"]) / rate)
