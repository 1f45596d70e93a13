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

// Each map gives the looks anew, so that none uses more shapes than it has to.
for (const map of maps) {
  map.labels = [...new Set(Array.from(map.files, (file) => files.label[file]))].sort((a, b) => !data.labels[a] - !data.labels[b] || a - b);
  const named = map.labels.filter((label) => data.labels[label]);
  map.looks = new Map(map.labels.map((label) => [label, data.labels[label] ? lookOf(named.indexOf(label)) : UNLABELLED]));
}

function swatch(look) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.innerHTML = `<svg viewBox="-1.5 -1.5 3 3"><path d="${look.shape}" style="fill:var(${look.colour})"/></svg>`;
  return made;
}

// While the page goes to paper; then it is light, whatever the screen is.
const isPrinting = () => document.documentElement.classList.contains("printing");

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
