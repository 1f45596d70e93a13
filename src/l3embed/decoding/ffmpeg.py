"""The ffmpeg program that moviepy brings: running it, and asking it about a file."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from l3embed.decoding.checks import missing_bytes
from l3embed.disk.leftovers import programs
from l3embed.errors import OpenL3Error
from l3embed.profiling import Phase, phase

GLOBAL_OPTIONS = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", "repeat+level+info")
"""With ``level``, each line of stderr says whether it is an error."""

LEVEL = re.compile(r"(?:\[[^]]*\] )*?\[(info|warning|error|fatal|panic)\] (.*)")
STREAM = re.compile(r" {2,6}Stream #0:(\d+)[^ ]*: (Audio|Video): .*")
MAPPING = re.compile(r"  Stream #0:(\d+) -> ")
DURATION = re.compile(r"  Duration: (\d+):(\d\d):(\d\d\.\d\d)")
PRINTED_RATE = re.compile(r", (\d+(?:\.\d+)?) fps")
FILTER_RATES = re.compile(r"config in time_base: (\d+)/(\d+), frame_rate: (\d+)/(\d+)")

MOVING_PICTURE, SOUND = "0:V:0?", "0:a:0?"
"""How ffmpeg calls a file's first stream of a kind, if it has one; a cover does not count."""

PACKET_TICK = re.compile(r"#tb 0: (\d+)/(\d+)")
PACKET = re.compile(r"0, +-?\d+, +(-?\d+), +(\d+),")
"""How ffmpeg's framecrc muxer writes down packets: when each is shown, and for how long, in ticks."""

GENERIC_ERRORS = (
    "Error opening input",
    "Error opening output",
    "Conversion failed",
    "Task finished",
    "Terminating",
)
"""Lines that only say that something went wrong, after the line that says what."""

CUT_SHORT = re.compile(
    r"stream \d+, offset \w+: partial file|File ended prematurely"
    r"|moov atom not found|Packet corrupt \(stream.*"
)
"""How demuxers tell that a file ends before its header says."""

BROADCAST_INPUT = "Input #0, mpegts"
"""In broadcasts, packets may be corrupt anywhere."""

PRINTED_RATE_ERROR_HZ = 0.00501
"""ffmpeg prints frame rates with two decimals."""

NTSC = 1000 / 1001
"""Frame rates such as 29.97 are this times an integer."""

OnLine = Callable[[str], None]


class FfmpegRun:
    """A running ffmpeg that reads one file and writes to its standard output.

    A thread reads its standard error, so that neither pipe can block the other. Use it as a context
    manager: leaving it ends the process, whatever happened.

    Parameters
    ----------
    path : Path
        The file to read.
    arguments : sequence of str
        What stands behind ``-i PATH`` on the command line.
    input_options : sequence of str
        What stands before it.
    on_line : callable, optional
        Is called with each line of standard error, less its level, in the thread.
    """

    def __init__(
        self,
        path: Path,
        arguments: Sequence[str],
        on_line: OnLine | None = None,
        input_options: Sequence[str] = (),
    ) -> None:
        # "file:" keeps ffmpeg from taking a colon for a protocol, or a dash for an option.
        source = f"file:{path.absolute()}"
        command = [_program(), *GLOBAL_OPTIONS, *input_options, "-i", source, *arguments]
        self.errors: list[str] = []
        self.cut_short_line = ""
        self._is_broadcast = False
        self._on_line = on_line
        try:
            self._process = subprocess.Popen(  # noqa: S603 (the program is ours, and no shell is involved)
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise OpenL3Error(f"ffmpeg could not be started: {error}") from error
        programs.add(self._process)
        self._listener = Thread(target=self._listen, name="ffmpeg-stderr", daemon=True)
        self._listener.start()

    def __enter__(self) -> FfmpegRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_into(self, array: npt.NDArray[Any]) -> int:
        """Fill an array with what ffmpeg writes, and return how many bytes came: fewer only at the end."""
        if self._stdout.closed:
            raise OpenL3Error("The file was closed before it was read to its end.")
        view = array.reshape(-1).view(np.uint8).data
        filled = 0
        with phase(Phase.DECODE):
            while filled < len(view):
                # A buffered pipe knows readinto, which typeshed's IO[bytes] does not say.
                count = self._stdout.readinto(view[filled:])  # type: ignore[attr-defined]
                if not count:
                    break
                filled += count
        return filled

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer than `size` only at the end."""
        return self._stdout.read(size)

    def lines(self) -> Iterator[str]:
        """Yield what it writes, where that is text, line by line."""
        for line in self._stdout:
            yield line.decode("ascii", errors="replace")

    def wait(self) -> int:
        """Read the rest of both pipes, and return the exit status."""
        while self._stdout.read(1 << 20):
            pass
        self._listener.join()
        return self._process.wait()

    def finish(self) -> str:
        """Wait for the end, and return what was wrong with the file; nothing if all of it could be read."""
        status = self.wait()
        if self.cut_short_line:
            return f"is cut short (ffmpeg says: {self.cut_short_line})"
        if status:
            return f"is damaged: not all of it could be decoded (ffmpeg says: {self.reason})"
        return ""

    @property
    def reason(self) -> str:
        """The last meaningful line of standard error."""
        telling = [line for line in self.errors if not line.startswith(GENERIC_ERRORS)]
        return (telling or self.errors or ["nothing"])[-1]

    def close(self) -> None:
        """End the process, if it still runs, and give back what it held. May be called again."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        self._stdout.close()

    @property
    def _stdout(self) -> IO[bytes]:
        if self._process.stdout is None:
            raise OpenL3Error("ffmpeg was started without a pipe to read from.")
        return self._process.stdout

    def _listen(self) -> None:
        """Take in standard error, line by line: the thread."""
        if self._process.stderr is None:
            return
        with self._process.stderr as lines:
            for raw in lines:
                self._take_line(raw.decode("utf-8", errors="replace").rstrip())

    def _take_line(self, line: str) -> None:
        found = LEVEL.match(line)
        level, text = (found[1], found[2]) if found else ("", line)
        # The showinfo filter writes its lines in parts: what another thread of ffmpeg says in between
        # lands in the line, without a level of its own.
        may_be_error = level not in ("", "info") or line.startswith("[Parsed_showinfo")
        self._is_broadcast = self._is_broadcast or text.startswith(BROADCAST_INPUT)
        if may_be_error and not self._is_broadcast and (cut := CUT_SHORT.search(line)):
            self.cut_short_line = cut[0]
        elif level in ("error", "fatal", "panic") and text:
            # Damaged files have an error for each picture: only the last few can matter.
            self.errors = [*self.errors[-9:], text]
        if self._on_line:
            self._on_line(text)


@dataclass
class MediaInfo:
    """What a file says about itself.

    Parameters
    ----------
    has_frames, has_audio : bool
        Whether it has moving pictures (a cover is none), and sound.
    frame_rate_hz : float
        Frames a second, 0 without any; on average, if the rate varies.
    duration_s : float or None
        Of the whole file, in hundredths of a second; None if it is not stated.
    damage : str
        What is wrong with the file as a whole, seen from outside; nothing if that is not known.
    """

    has_frames: bool = False
    has_audio: bool = False
    frame_rate_hz: float = 0.0
    duration_s: float | None = None
    damage: str = ""


def probe(path: Path) -> MediaInfo:
    """Find out what streams a file has, by decoding its first frame.

    Raises
    ------
    OpenL3Error
        If there is no such file, or ffmpeg cannot read it.
    """
    damage = missing_bytes(path)
    lines: list[str] = []
    first_frame = ("-an", "-sn", "-dn", "-vf", "showinfo=checksum=0", "-frames:v", "1", "-f", "null", "-")
    with FfmpegRun(path, first_frame, lines.append) as run:
        run.wait()
        if not any(line.startswith("Input #0") for line in lines):
            fault = (
                "is cut short, or no video or audio"
                if run.cut_short_line
                else "could not be read as video or audio"
            )
            raise OpenL3Error(f"The file {fault} (ffmpeg says: {run.cut_short_line or run.reason})")
    return replace(parse_info(lines), damage=damage)


def parse_info(lines: Sequence[str]) -> MediaInfo:
    """Read what ffmpeg prints about a file on standard error, and about its first frame."""
    ends = [index for index, line in enumerate(lines) if line.startswith(("Stream mapping:", "Output #0"))]
    streams = [found for line in lines[: ends[0] if ends else None] if (found := STREAM.match(line))]
    videos = {
        found[1]: found[0] for found in streams if found[2] == "Video" and "(attached pic)" not in found[0]
    }
    info = MediaInfo(has_frames=bool(videos), has_audio=any(found[2] == "Audio" for found in streams))
    if videos:
        mapped = [found[1] for line in lines if (found := MAPPING.match(line))]
        chosen = next((videos[index] for index in mapped if index in videos), next(iter(videos.values())))
        info.frame_rate_hz = _frame_rate(chosen, "\n".join(lines))
    stated = next((found for line in lines if (found := DURATION.match(line))), None)
    if stated and not any("Estimating duration from bitrate" in line for line in lines):
        # In moviepy's order of operations, because the last bit decides about a sample.
        info.duration_s = float(stated[3]) + 60 * float(stated[2]) + 3600 * float(stated[1])
    return info


def _frame_rate(stream_line: str, text: str) -> float:
    """Make out the exact frame rate from a rounded one and the one that filters are told."""
    printed = PRINTED_RATE.search(stream_line)
    told = FILTER_RATES.search(text)
    exact = int(told[3]) / max(1, int(told[4])) if told else 0.0
    if not printed:
        return exact
    rounded = float(printed[1])
    # Filters are told the shortest interval's rate if it varies; the printed one is the average.
    if abs(exact - rounded) <= PRINTED_RATE_ERROR_HZ:
        return exact
    ntsc = round(rounded / NTSC) * NTSC
    return ntsc if rounded % 1 and abs(ntsc - rounded) <= PRINTED_RATE_ERROR_HZ else rounded


def last_packet_s(path: Path, stream: str) -> float:
    """Return when the last packet of a stream ends, in seconds: nothing is decoded for that.

    Parameters
    ----------
    path : Path
        The file.
    stream : str
        Which, as ffmpeg calls it.
    """
    tick_s, last = 0.0, 0
    with FfmpegRun(path, ("-map", stream, "-c", "copy", "-f", "framecrc", "-")) as run:
        for line in run.lines():
            if base := PACKET_TICK.match(line):
                tick_s = int(base[1]) / int(base[2])
            elif packet := PACKET.match(line):
                last = max(last, int(packet[1]) + int(packet[2]))
    return last * tick_s


def _program() -> str:
    """Return the path of the ffmpeg that moviepy uses."""
    from imageio_ffmpeg import get_ffmpeg_exe

    try:
        return str(get_ffmpeg_exe())
    except RuntimeError as error:
        raise OpenL3Error(
            "No ffmpeg was found. Install imageio-ffmpeg with pip, or name a program in IMAGEIO_FFMPEG_EXE."
        ) from error
