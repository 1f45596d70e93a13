// How classes look: a colour and a shape each, the same on the canvas and in the page.

const COLOURS = 8;

// Within a circle of radius 1, and of about its area.
const SHAPES = [
  "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
  "M0-1.3L1.2.8H-1.2Z",
  "M-.9-.9H.9V.9H-.9Z",
  "M0 1.3L1.2-.8H-1.2Z",
  "M0-1.3L1.15 0L0 1.3L-1.15 0Z",
  "M-.42-1.2H.42V-.42H1.2V.42H.42V1.2H-.42V.42H-1.2V-.42H-.42Z",
  "M1.15 0A1.15 1.15 0 1 1-1.15 0A1.15 1.15 0 1 1 1.15 0ZM.55 0A.55 .55 0 1 0-.55 0A.55 .55 0 1 0 .55 0Z",
];

const UNLABELLED = { colour: "--class-none", shape: SHAPES[0] };

// Colours first, then shapes: eight classes differ by colour alone, and no two of 56 look alike.
function lookOf(place) {
  return { colour: `--class-${place % COLOURS}`, shape: SHAPES[Math.floor(place / COLOURS) % SHAPES.length] };
}

// What is drawn around the marks of doubtful files: told apart by shape alone, and clear of the mark itself.
const GLYPHS = {
  conflict: "M0-1.25L1.25 0L0 1.25L-1.25 0Z",
  damaged: "M-1.1-1.1L-.65-.65M1.1 1.1L.65 .65M-1.1 1.1L-.65 .65M1.1-1.1L.65-.65",
  silent: "M-1.3 0H-.75M.75 0H1.3",
  black: "M-1-1H1V1H-1Z",
  incomplete: "M0-1.05A1.05 1.05 0 0 0 0 1.05",
  outlier: "M0-1.3V-.75M0 .75V1.3M-1.3 0H-.75M.75 0H1.3",
  copy: "M1.05 0A1.05 1.05 0 1 1-1.05 0A1.05 1.05 0 1 1 1.05 0Z",
  short: "M-.8-1.05H.8M-.8 1.05H.8",
  turned: "M0-1.05A1.05 1.05 0 1 1-1.05 0M-1.35 .35L-1.05 0L-.65 .25",
};

const glyphOf = (kind) => ({ colour: "--ink", line: GLYPHS[kind] ?? GLYPHS.copy });

// Each map gives the looks anew, so that none uses more shapes than it has to.
for (const map of maps) {
  map.doubts = Uint32Array.from(map.files, (file) => (doubtsOf.get(file) ?? []).reduce((bits, { kind }) => bits | (1 << data.doubtKinds.indexOf(kind)), 0));
  map.labels = [...new Set(Array.from(map.files, (file) => files.label[file]))].sort((a, b) => !data.labels[a] - !data.labels[b] || a - b);
  const named = map.labels.filter((label) => data.labels[label]);
  map.looks = new Map(map.labels.map((label) => [label, data.labels[label] ? lookOf(named.indexOf(label)) : UNLABELLED]));
}

function swatch(look) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  const drawn = look.line ? `<circle class="dot" r=".5"/><path d="${look.line}" class="line"/>` : `<path d="${look.shape}" style="fill:var(${look.colour})"/>`;
  made.innerHTML = `<svg viewBox="-1.5 -1.5 3 3">${drawn}</svg>`;
  return made;
}

// While the page goes to paper; then it is light, whatever the screen is.
const isPrinting = () => document.documentElement.classList.contains("printing");

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
