"""Six instruments: each fills a scene with a sound that a listener knows at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import fft

from l3embed.sample.scene import Samples, Scene, tone

BELL_PARTIALS = (
    (0.5, 0.45, 1.0),  # hum: soft, and the last to die away
    (1.0, 0.70, 0.6),  # prime
    (1.2, 0.75, 0.5),  # tierce: the minor third that makes a bell a bell
    (1.5, 0.30, 0.35),  # quint
    (2.0, 1.00, 0.32),  # nominal: the note that one hears
    (2.67, 0.60, 0.2),
    (3.01, 0.80, 0.20),  # superquint
    (4.17, 0.80, 0.15),  # octave nominal, stretched
    (5.43, 0.70, 0.12),
    (6.80, 0.60, 0.09),
)
"""Ratio to the prime, amplitude and relative decay of a church bell's partials (after Rossing)."""

BELL_SCALE = (1, 9 / 8, 5 / 4, 4 / 3, 3 / 2, 5 / 3)


def bells(scene: Scene) -> None:
    """Ring the changes on a few tuned bells."""
    prime_hz = scene.between(350, 900)
    interval_s = scene.between(0.5, 0.28)
    rounds = scene.rng.permutation(len(BELL_SCALE))
    onsets_s = np.arange(0.01, scene.duration_s - 0.25, interval_s)
    for strike, onset_s in enumerate(onsets_s.tolist()):
        degree = rounds[strike % len(rounds)]
        ring = _bell(scene, prime_hz * BELL_SCALE[degree], duration_s=scene.duration_s - onset_s)
        ring *= scene.rng.uniform(0.75, 1)
        scene.add(ring, onset_s + scene.rng.uniform(0, 0.015), pan=degree / 2.5 - 1)
    scene.add_room(0.12, 0.9)


def _bell(scene: Scene, prime_hz: float, duration_s: float) -> Samples:
    """Return one stroke: doublets of inharmonic partials that beat, under the clapper's clang."""
    decay_s = 2.8 * (350 / prime_hz) ** 0.3  # the large ones ring longer
    time_s = scene.times_s(min(decay_s, duration_s))
    sound = np.zeros(len(time_s))
    for ratio, amplitude, decay in BELL_PARTIALS:
        frequency_hz = prime_hz * ratio * scene.rng.uniform(0.998, 1.002)
        if frequency_hz > scene.highest_hz:
            continue
        beat_hz = scene.rng.uniform(0.4, 2.5)
        decay *= 0.22 * decay_s
        sound += amplitude * scene.ringing(frequency_hz, decay, len(time_s))
        sound += 0.5 * amplitude * scene.ringing(frequency_hz + beat_hz, decay, len(time_s))
    sound *= np.minimum(time_s / 0.002, 1)
    clang = scene.noise(0.03, 1800, 6000)
    sound[: len(clang)] += 0.5 * clang * np.linspace(1, 0, len(clang)) ** 3
    return sound


def birdsong(scene: Scene) -> None:
    """Let a bird whistle its phrases and trill, and another one answer from afar."""
    scene.add(0.004 * scene.noise(scene.duration_s, 400, 3000), pan=-0.4)  # the air in the wood
    scene.add(0.004 * scene.noise(scene.duration_s, 400, 3000), pan=0.4)
    _singer(scene, pitch_hz=scene.between(2300, 4300), level=1.0, start_s=0.03, pan=-0.55)
    answer_hz = scene.between(4600, 2700) * scene.rng.uniform(0.95, 1.05)
    _singer(scene, pitch_hz=answer_hz, level=0.22, start_s=scene.rng.uniform(0.35, 0.7), pan=0.7)
    scene.add_room(0.16, 0.7)


def _singer(scene: Scene, *, pitch_hz: float, level: float, start_s: float, pan: float) -> None:
    """Sing one phrase after another until the clip ends: a motif, and on it a trill or a warble."""
    now_s = start_s
    syllables = list(scene.rng.permutation(np.array(list(SYLLABLES))))
    turn = 0
    while now_s < scene.duration_s - 0.12:
        whistle = SYLLABLES[syllables[turn % len(syllables)]]
        interval = 2 ** scene.rng.uniform(-0.3, 0.3)
        for _ in range(int(scene.rng.integers(1, 4)) if whistle is not _trill else 1):
            sound = whistle(scene, pitch_hz * interval)
            scene.add(level * scene.rng.uniform(0.7, 1) * sound, now_s, pan)
            now_s += len(sound) / scene.sample_rate_hz + scene.rng.uniform(0.035, 0.075)
        now_s += scene.rng.uniform(0.05, 0.16)
        turn += 1


def _whistle(scene: Scene, frequency_hz: Samples) -> Samples:
    """Return a nearly pure tone along a contour of frequencies, swelling and dying away."""
    frequency_hz = np.minimum(frequency_hz, scene.highest_hz)
    position = np.linspace(0, 1, len(frequency_hz))
    swell = np.sin(np.pi * position**0.7) ** 0.8
    sound = tone(frequency_hz, scene.sample_rate_hz)
    octave = tone(2 * frequency_hz, scene.sample_rate_hz) * (2 * frequency_hz < scene.highest_hz)
    return np.asarray((sound + 0.06 * octave) * swell)


def _rise(scene: Scene, pitch_hz: float) -> Samples:
    time_s = scene.times_s(scene.rng.uniform(0.09, 0.16))
    return _whistle(scene, pitch_hz * 2 ** (-0.3 + 0.75 * (time_s / time_s[-1]) ** 1.6))


def _fall(scene: Scene, pitch_hz: float) -> Samples:
    time_s = scene.times_s(scene.rng.uniform(0.1, 0.2))
    return _whistle(scene, pitch_hz * 2 ** (0.5 - 0.8 * (time_s / time_s[-1]) ** 0.6))


def _arch(scene: Scene, pitch_hz: float) -> Samples:
    time_s = scene.times_s(scene.rng.uniform(0.12, 0.2))
    return _whistle(scene, pitch_hz * 2 ** (-0.2 + 0.55 * np.sin(np.pi * time_s / time_s[-1])))


def _warble(scene: Scene, pitch_hz: float) -> Samples:
    time_s = scene.times_s(scene.rng.uniform(0.2, 0.32))
    return _whistle(scene, pitch_hz * 2 ** (0.17 * np.sin(2 * np.pi * scene.rng.uniform(24, 38) * time_s)))


def _trill(scene: Scene, pitch_hz: float) -> Samples:
    """Return a run of quick falling chirps at 13 to 26 a second."""
    chirp_s = 1 / scene.between(13, 26)
    time_s = scene.times_s(0.7 * chirp_s)
    gap = np.zeros(round(0.3 * chirp_s * scene.sample_rate_hz))
    chirp = _whistle(scene, pitch_hz * 2 ** (0.45 - 0.75 * time_s / time_s[-1]))
    count = int(scene.rng.integers(6, 11))
    return np.concatenate([np.append(chirp, gap) * (0.6 + 0.4 * turn / count) for turn in range(count)])


SYLLABLES: dict[str, Callable[[Scene, float], Samples]] = {
    "rise": _rise,
    "fall": _fall,
    "arch": _arch,
    "warble": _warble,
    "trill": _trill,
}

DRUM_PATTERNS = (
    #   kick                snare               hi-hat: x closed, o open
    ("x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),  # rock
    ("x..x..x...x..x..", "....x..x.x..x..x", "x.x.x.x.x.x.x.o."),  # a break
    ("x...x...x...x...", "....x.......x..x", "..o...o...o...o."),  # four on the floor
    ("x.....x...x.....", "....x.......x...", "xxxxxxxxxxxxxxxx"),  # sixteenths
)
"""Bars of sixteen steps."""


def drums(scene: Scene) -> None:
    """Play a bar and more of a drum kit."""
    step_s = 15 / scene.between(100, 148)
    kick, snare, hat = DRUM_PATTERNS[min(int(scene.character * len(DRUM_PATTERNS)), len(DRUM_PATTERNS) - 1)]
    kick_hz, snare_hz = scene.rng.uniform(44, 60), scene.rng.uniform(160, 230)
    for step in range(int((scene.duration_s - 0.08) / step_s)):
        accent = (1.0 if step % 4 == 0 else 0.8) * scene.rng.uniform(0.85, 1)
        onset_s = 0.01 + step * step_s + (0.1 * step_s if step % 2 else 0)  # a little swing
        place = step % 16
        if kick[place] == "x":
            scene.add(accent * _kick(scene, kick_hz), onset_s, pan=0.0)
        if snare[place] == "x":
            scene.add(0.8 * accent * _snare(scene, snare_hz), onset_s, pan=-0.25)
        if hat[place] != ".":
            scene.add(0.5 * accent * _hat(scene, 0.25 if hat[place] == "o" else 0.05), onset_s, pan=0.55)
    scene.add_room(0.08, 0.35)


def _kick(scene: Scene, pitch_hz: float) -> Samples:
    """Return a tone that drops in pitch, with the beater's click."""
    time_s = scene.times_s(0.32)
    sound = 1.3 * tone(pitch_hz * (1 + 3.2 * np.exp(-time_s / 0.022)), scene.sample_rate_hz)
    sound *= np.exp(-time_s / 0.085) * np.minimum(time_s / 0.001, 1)
    return np.asarray(sound + 0.12 * scene.noise(0.32, 1500, 5000) * np.exp(-time_s / 0.004))


def _snare(scene: Scene, pitch_hz: float) -> Samples:
    """Return two modes of the head and the rattle of the wires."""
    time_s = scene.times_s(0.25)
    head = scene.ringing(pitch_hz, 0.05, len(time_s)) + 0.6 * scene.ringing(
        1.59 * pitch_hz, 0.05, len(time_s)
    )
    wires = scene.noise(0.25, 900, 7000) * np.exp(-time_s / 0.055)
    return np.asarray((0.55 * head + 0.5 * wires) * np.minimum(time_s / 0.001, 1))


def _hat(scene: Scene, decay_s: float) -> Samples:
    """Return a metallic hiss at the top of the spectrum."""
    time_s = scene.times_s(2 * decay_s)
    low_hz = min(7000.0, 0.8 * scene.highest_hz)
    return np.asarray(scene.noise(2 * decay_s, low_hz, 16000) * np.exp(-2.5 * time_s / decay_s))


REV_CURVES = (
    ((0.0, 1.0), (0.3, 1.05), (0.6, 0.96), (1.0, 1.02)),  # idling
    (
        (0.0, 1.0),
        (0.15, 1.0),
        (0.3, 2.7),
        (0.5, 1.2),
        (0.62, 1.1),
        (0.75, 2.9),
        (1.0, 1.2),
    ),  # two blips
    ((0.0, 1.1), (0.5, 2.7), (0.56, 1.7), (1.0, 2.9)),  # pulling away, with a change of gear
    ((0.0, 2.6), (0.4, 2.4), (1.0, 1.0)),  # coming to a halt
)
"""Points (place in the clip, revs as a multiple of idling) between which the speed changes evenly."""

EXHAUST_RESONANCES = ((85, 30, 1.0), (190, 50, 1.0), (430, 110, 0.8), (1150, 300, 0.6))
"""Frequency (Hz), width (Hz) and gain."""

CYLINDERS = 4


def engine(scene: Scene) -> None:
    """Run a four-cylinder engine: its firing through the exhaust, and the breath of its intake."""
    time_s = scene.times_s(scene.duration_s)
    curve = np.array(REV_CURVES[min(int(scene.character * len(REV_CURVES)), len(REV_CURVES) - 1)])
    revs = np.interp(time_s / scene.duration_s, curve[:, 0], curve[:, 1])
    width = round(0.08 * scene.sample_rate_hz)  # a flywheel takes the corners off the curve
    revs = np.convolve(np.pad(revs, width, mode="edge"), np.ones(width) / width, "same")[width:-width]
    revs *= 1 + 0.012 * scene.noise(scene.duration_s, 1, 6)  # and it never runs quite evenly
    idle_hz = scene.between(20, 30) * scene.rng.uniform(0.95, 1.05)
    firings = np.cumsum(idle_hz * revs) / scene.sample_rate_hz
    load = np.sqrt(revs)
    scene.add(
        load * _exhaust(scene, firings), pan=np.linspace(-0.7, 0.5, len(time_s), dtype=np.float64)
    )  # it drives past
    for pan in (-0.9, 0.9):
        breath = scene.noise(scene.duration_s, 250, 1600) * (0.3 + _pulses(firings, sharpness=2.5))
        scene.add(0.12 * load * breath, pan=pan)


def _pulses(firings: Samples, sharpness: float) -> Samples:
    """Return a pulse of height 1 in the middle of every firing; firings counts them."""
    return np.asarray(np.exp(-sharpness * (1 + np.cos(2 * np.pi * firings))))


def _exhaust(scene: Scene, firings: Samples) -> Samples:
    """Return the pulses of cylinders that are not quite alike, through the resonances of the pipe."""
    stroke = firings.astype(int)
    strength = scene.rng.uniform(0.7, 1, CYLINDERS)[stroke % CYLINDERS]
    strength *= scene.rng.uniform(0.85, 1, stroke.max() + 1)[stroke]  # no two firings burn alike
    size = fft.next_fast_len(len(firings), real=True)
    spectrum = fft.rfft(strength * _pulses(firings, sharpness=90), size)
    frequency_hz = fft.rfftfreq(size, 1 / scene.sample_rate_hz)
    pipe = np.zeros(len(frequency_hz), complex)
    for centre_hz, width_hz, gain in EXHAUST_RESONANCES:
        pipe += (
            gain
            * 1j
            * frequency_hz
            * width_hz
            / (centre_hz**2 - frequency_hz**2 + 1j * frequency_hz * width_hz)
        )
    sound = fft.irfft(spectrum * pipe, size)[: len(firings)]
    return np.asarray(np.tanh(1.2 * sound / np.sqrt(np.mean(sound**2))))


PENTATONIC_SEMITONES = (0, 3, 5, 7, 10, 12, 15, 17)


def plucked_strings(scene: Scene) -> None:
    """Play a pentatonic tune on steel strings, over a strummed chord."""
    root_hz = scene.between(98, 220)
    note_s = scene.between(0.3, 0.15)
    for string, semitones in enumerate((-12, -5, 0)):  # the chord, strummed downwards
        sound = _string(scene, root_hz * 2 ** (semitones / 12), scene.duration_s)
        scene.add(0.55 * sound, 0.01 + 0.022 * string, pan=-0.6)
    degree = int(scene.rng.integers(2, 5))
    onset_s = 0.01 + note_s
    while onset_s < scene.duration_s - 0.2:
        degree += int(scene.rng.choice((-2, -1, -1, 1, 1, 2)))
        degree = min(max(degree, 0), len(PENTATONIC_SEMITONES) - 1)
        pitch_hz = root_hz * 2 ** (PENTATONIC_SEMITONES[degree] / 12)
        sound = _string(scene, pitch_hz, min(1.6, scene.duration_s - onset_s))
        scene.add(scene.rng.uniform(0.7, 1) * sound, onset_s, pan=0.1 * degree)
        onset_s += note_s * scene.rng.choice((1, 1, 1, 2))
    scene.add_room(0.10, 0.5)


def _string(scene: Scene, pitch_hz: float, duration_s: float) -> Samples:
    """Return one pluck: a burst of noise that runs round a delay line as long as a period.

    The algorithm is Karplus and Strong's (1983), with Jaffe and Smith's decay and tuning (a Lagrange
    interpolator for the part of a sample) and the notch that the place of the pluck makes.
    """
    period = scene.sample_rate_hz / pitch_hz
    delay, part = int(period) - 2, period % 1 + 1  # two samples are spent in the filters, as is the part
    damping = min(0.1 * (scene.sample_rate_hz / 44100) ** 2, 0.25)
    lagrange = [
        np.prod([(part - other) / (tap - other) for other in range(4) if other != tap]) for tap in range(4)
    ]
    loop = np.convolve(lagrange, (damping, 1 - 2 * damping, damping)) * 10 ** (-3 / (pitch_hz * 2.2))
    head = delay + len(loop)
    line = np.zeros(head + round(duration_s * scene.sample_rate_hz))
    burst = scene.noise(1 / pitch_hz, 60, 3500)
    line[head : head + len(burst)] = (burst - np.roll(burst, len(burst) // 5))[: len(line) - head]
    for start in range(head, len(line), delay):
        block = line[start : start + delay]
        for tap, gain in enumerate(loop):
            earlier = start - delay - tap
            block += gain * line[earlier : earlier + len(block)]
    fade = np.minimum(np.arange(len(line) - head)[::-1] / (0.03 * scene.sample_rate_hz), 1)
    return np.asarray(line[head:] * fade)


def rain(scene: Scene) -> None:
    """Let it rain: a hiss from all sides, and drops, some of which fall into puddles."""
    hiss = scene.between(0.02, 0.08)
    for pan in (-0.95, 0.95):
        gusts = 1 + 0.25 * np.clip(scene.noise(scene.duration_s, 0.3, 2.5), -2, 2)
        scene.add(hiss * gusts * scene.noise(scene.duration_s, 1200, 9000), pan=pan)
        scene.add(0.35 * hiss * scene.noise(scene.duration_s, 150, 900), pan=-pan)
    for _ in range(int(scene.between(50, 300) * scene.duration_s)):
        drop = _puddle(scene) if scene.rng.random() < 0.2 else _patter(scene)
        near = scene.rng.random() ** 3
        onset_s = scene.rng.uniform(0, scene.duration_s - 0.03)
        scene.add((0.06 + 0.5 * near) * drop, onset_s, pan=scene.rng.uniform(-1, 1))


def _patter(scene: Scene) -> Samples:
    """Return a drop on something hard: a click of a few milliseconds."""
    time_s = scene.times_s(0.02)
    low_hz = scene.rng.uniform(700, 3500)
    click = scene.noise(0.02, low_hz, 3 * low_hz) * np.exp(-time_s / scene.rng.uniform(0.001, 0.004))
    return np.asarray(0.45 * click)


def _puddle(scene: Scene) -> Samples:
    """Return a drop in water: the bubble that it drags down rings, higher as it rises."""
    time_s = scene.times_s(0.06)
    pitch_hz = scene.rng.uniform(900, 3800)
    bubble = tone(pitch_hz * (1 + 4 * time_s), scene.sample_rate_hz)
    return np.asarray(0.8 * bubble * np.exp(-time_s / 0.011) * np.minimum(time_s / 0.001, 1))


INSTRUMENTS: dict[str, Callable[[Scene], None]] = {
    "bells": bells,
    "birdsong": birdsong,
    "drums": drums,
    "engine": engine,
    "plucked_strings": plucked_strings,
    "rain": rain,
}
"""What plays each class."""
