// The files of the dataset, as they were packed into the page.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);

const MEDIA = { audio: 0, image: 1, video: 2 };
const HELD = { sound: 1, picture: 2 };
const STEPS = 10000; // cosines and probabilities are packed as whole numbers of these
const MODALITIES = ["audio", "image"];

function unpack(text, Kind) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return new Kind(bytes.buffer);
}

// An element with attributes and children; strings become text and never markup.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const files = {
  count: data.paths.length,
  label: unpack(data.label, Uint32Array),
  media: unpack(data.media, Uint8Array),
  held: unpack(data.held, Uint8Array),
  duration: unpack(data.duration, Float32Array),
  rate: unpack(data.rate, Float32Array),
  channels: unpack(data.channels, Uint32Array),

  path: (file) => data.paths[file],
  name: (file) => data.paths[file].slice(data.paths[file].lastIndexOf("/") + 1),
  folder: (file) => data.paths[file].slice(0, Math.max(0, data.paths[file].lastIndexOf("/"))),
  labelName: (file) => data.labels[files.label[file]],
  // A listing's files may lie anywhere, also where no browser can open them: then it is empty.
  address(file) {
    const link = data.links[file] ?? data.paths[file].split("/").map(encodeURIComponent).join("/");
    return link === "" || /^(https?:|\/)/.test(link) ? link : data.address + link;
  },
  hasSound: (file) => files.media[file] !== MEDIA.image,
  hasPicture: (file) => files.media[file] !== MEDIA.audio,

  // Where a sound or a picture comes from: the page itself, or the dataset's folder.
  sound: (file) => (files.held[file] & HELD.sound ? `data:audio/mpeg;base64,${preview("sounds", file)}` : files.address(file)),
  picture(file) {
    if (files.held[file] & HELD.picture) return `data:image/jpeg;base64,${preview("pictures", file)}`;
    return files.media[file] === MEDIA.image ? files.address(file) : "";
  },
};

let previews = null;

// The previews are read when the first one is wanted: they are most of the page.
function preview(kind, file) {
  previews ??= JSON.parse(byId("previews").textContent);
  return previews[kind][file];
}

const maps = data.maps.map((packed) => {
  const places = unpack(packed.files, Uint32Array);
  return {
    modality: packed.modality,
    files: places,
    pointOf: new Map(Array.from(places, (file, point) => [file, point])),
    frames: unpack(packed.frames, Uint32Array),
    views: packed.views.map((view) => ({ ...view, points: unpack(view.points, Float32Array) })),
    count: packed.count,
    index: unpack(packed.index, Uint32Array),
    similarity: unpack(packed.similarity, Int16Array),
    // Empty where nothing was evaluated; -1 for a point that was not.
    takenFor: unpack(packed.takenFor, Int32Array),
    confidence: unpack(packed.confidence, Int16Array),
    fold: unpack(packed.fold, Int16Array),
    folds: packed.folds,
    classes: packed.classes,
  };
});

// What the linear probe took a point for, how surely, and in which fold it was held out; null if it was not asked.
function predictionOf(map, point) {
  const takenFor = map.takenFor[point] ?? -1;
  if (takenFor < 0) return null;
  return { takenFor, confidence: map.confidence[point] / STEPS, fold: map.folds[map.fold[point]], isMistake: takenFor !== files.label[map.files[point]] };
}

// The doubts about each file, the worst first: kind, modality, and words that begin behind the file's name.
const doubtsOf = new Map();
{
  const { words } = data.doubts;
  const [file, modality, kind, word] = [["file", Uint32Array], ["modality", Uint8Array], ["kind", Uint8Array], ["word", Uint32Array]].map(([name, Kind]) => unpack(data.doubts[name], Kind));
  for (let i = 0; i < file.length; i++) {
    const doubt = { kind: data.doubtKinds[kind[i]], modality: MODALITIES[modality[i]], words: words[word[i]] };
    if (doubtsOf.has(file[i])) doubtsOf.get(file[i]).push(doubt);
    else doubtsOf.set(file[i], [doubt]);
  }
}

// Why inputs of a file have no embeddings.
const failuresOf = new Map();
{
  const [file, modality] = [unpack(data.failures.file, Uint32Array), unpack(data.failures.modality, Uint8Array)];
  data.failures.reasons.forEach((reason, i) => {
    const failure = { modality: MODALITIES[modality[i]], reason };
    failuresOf.set(file[i], [...(failuresOf.get(file[i]) ?? []), failure]);
  });
}

// The neighbours of a point, the nearest first.
function neighboursOf(map, point) {
  return Array.from({ length: map.count }, (_, rank) => {
    const place = point * map.count + rank;
    return { point: map.index[place], file: map.files[map.index[place]], similarity: map.similarity[place] / STEPS };
  });
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function lengthOf(seconds) {
  if (Number.isNaN(seconds)) return "";
  if (seconds >= 3600) return `${(seconds / 3600).toFixed(1)} h`;
  return seconds >= 120 ? `${(seconds / 60).toFixed(1)} min` : `${seconds.toFixed(1)} s`;
}
