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

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Small pictures of the marks: copying one is much quicker than drawing it.
class Sprites {
  #made = new Map();

  clear() {
    this.#made.clear();
  }

  get(look, radius, density) {
    const key = `${look.colour}${look.shape}${radius}/${density}`;
    if (!this.#made.has(key)) this.#made.set(key, this.#draw(look, radius, density));
    return this.#made.get(key);
  }

  #draw(look, radius, density) {
    const side = 2 * Math.ceil((radius * 1.35 + 1) * density);
    const canvas = element("canvas", { width: side, height: side });
    const context = canvas.getContext("2d");
    context.translate(side / 2, side / 2);
    context.scale(radius * density, radius * density);
    const path = new Path2D(look.shape);
    context.fillStyle = style(look.colour);
    context.fill(path);
    context.lineWidth = 1 / (radius * density);
    context.strokeStyle = style("--surface");
    context.stroke(path);
    return canvas;
  }
}
