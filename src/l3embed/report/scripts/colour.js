// What marks are coloured by: groups of points, each with a name and a look.

const SURENESS_STEPS = 5;
const LENGTH_STEPS = 7;
const UNKNOWN_LOOK = { colour: "--class-none", shape: "M.55 0A.55 .55 0 1 1-.55 0A.55 .55 0 1 1 .55 0Z" };

class Colouring {
  // Groups have a name and looks, mostly a single one, and may have a rank: higher ones lie on top. `placeOf` gives
  // the places of a point's group and, within that, of its look.
  constructor(name, groups, count, placeOf, note = "") {
    Object.assign(this, { name, groups, note });
    this.groupOf = new Uint16Array(count);
    this.lookOf = new Uint16Array(count);
    const starts = [];
    this.looks = groups.flatMap((group) => (starts.push(starts.length ? starts.at(-1) + groups[starts.length - 1].looks.length : 0), group.looks));
    for (const group of groups) group.count = 0;
    for (let point = 0; point < count; point++) {
      const [group, look] = placeOf(point);
      this.groupOf[point] = group;
      this.lookOf[point] = starts[group] + look;
      groups[group].count++;
    }
  }
}

function byLabel(map) {
  const places = new Map(map.labels.map((label, place) => [label, place]));
  const groups = map.labels.map((label) => ({ name: data.labels[label] || "no label", looks: [map.looks.get(label)] }));
  return new Colouring("Label", groups, map.files.length, (point) => [places.get(files.label[map.files[point]]), 0]);
}

// Mistakes lie on top, and differ from the rest in shape as well.
function byMistake(map) {
  if (!map.takenFor.length) return null;
  const ramp = (name, shape) => Array.from({ length: SURENESS_STEPS }, (_, step) => ({ colour: `--${name}-${step}`, shape }));
  const groups = [
    { name: "right", looks: ramp("right", SHAPES[0]), rank: 1 },
    { name: "wrong", looks: ramp("wrong", SHAPES[4]), rank: 2 },
    ...(map.takenFor.includes(-1) ? [{ name: "not evaluated", looks: [UNKNOWN_LOOK], rank: 0 }] : []),
  ];
  const placeOf = (point) => {
    const found = predictionOf(map, point);
    return found ? [Number(found.isMistake), Math.min(SURENESS_STEPS - 1, Math.floor(found.confidence * SURENESS_STEPS))] : [2, 0];
  };
  return new Colouring("Mistake", groups, map.files.length, placeOf, "the fainter, the less sure");
}

function byLength(map) {
  const known = map.files.filter((file) => files.duration[file] > 0);
  if (!known.length) return null;
  const edges = lengthEdges(known);
  const last = edges.length - 2;
  const step = (place) => (last ? Math.round((place * (LENGTH_STEPS - 1)) / last) : Math.floor(LENGTH_STEPS / 2));
  const groups = Array.from({ length: last + 1 }, (_, place) => ({
    name: rangeInWords(edges[place], edges[place + 1]),
    looks: [{ colour: `--length-${step(place)}`, shape: SHAPES[0] }],
  }));
  const placeOf = (point) => {
    const seconds = files.duration[map.files[point]];
    if (!(seconds > 0)) return [groups.length - 1, 0];
    let place = 0;
    while (place < last && seconds >= edges[place + 1]) place++;
    return [place, 0];
  };
  if (known.length < map.files.length) groups.push({ name: "no length", looks: [UNKNOWN_LOOK] });
  return new Colouring("Length", groups, map.files.length, placeOf, "on a logarithmic scale");
}

// Ends of steps that are equal on a logarithmic scale, rounded to two digits: so the legend tells what is drawn.
function lengthEdges(known) {
  let [shortest, longest] = [Infinity, 0];
  for (const file of known) {
    shortest = Math.min(shortest, files.duration[file]);
    longest = Math.max(longest, files.duration[file]);
  }
  const edge = (place) => Number((shortest * (longest / shortest) ** (place / LENGTH_STEPS)).toPrecision(2));
  const edges = [...new Set(Array.from({ length: LENGTH_STEPS + 1 }, (_, place) => edge(place)))];
  return edges.length > 1 ? edges : [edges[0], edges[0]];
}

function rangeInWords(from, to) {
  const [start, end] = [lengthInWords(from), lengthInWords(to)];
  if (from === to) return start;
  const [[number, unit], [, other]] = [start.split(" "), end.split(" ")];
  return `${unit === other ? number : start} to ${end}`;
}

function lengthInWords(seconds) {
  if (seconds >= 3600) return `${Number((seconds / 3600).toPrecision(2))} h`;
  return seconds >= 120 ? `${Number((seconds / 60).toPrecision(2))} min` : `${seconds} s`;
}

function byFold(map) {
  if (!map.folds.length) return null;
  const groups = map.folds.map((name, place) => ({ name: /^\d+$/.test(name) ? `fold ${name}` : name, looks: [lookOf(place)] }));
  if (map.fold.includes(-1)) groups.push({ name: "not evaluated", looks: [UNKNOWN_LOOK] });
  return new Colouring("Fold", groups, map.files.length, (point) => [map.fold[point] < 0 ? groups.length - 1 : map.fold[point], 0]);
}

// Only what is known; if nothing is, all marks look alike.
for (const map of maps) {
  const isLabelled = map.labels.some((label) => data.labels[label]);
  const known = [isLabelled ? byLabel(map) : null, byMistake(map), byLength(map), byFold(map)].filter((found) => found);
  map.colourings = known.length ? known : [byLabel(map)];
}
