// Self-similarity matrices: grey images become colours of the theme, and can be read off.

const LEVELS = 256;

const rampColours = () => {
  const context = element("canvas", { width: LEVELS, height: 1 }).getContext("2d", { willReadFrequently: true });
  const gradient = context.createLinearGradient(0, 0, LEVELS, 0);
  const stops = style("--ramp").split(",");
  stops.forEach((colour, place) => gradient.addColorStop(place / (stops.length - 1), colour.trim()));
  context.fillStyle = gradient;
  context.fillRect(0, 0, LEVELS, 1);
  return context.getImageData(0, 0, LEVELS, 1).data;
};

class Matrix {
  constructor(figure, packed) {
    this.canvas = figure.querySelector("canvas");
    this.readout = figure.querySelector(".readout");
    this.words = this.readout.textContent.trim();
    this.times = packed.times;
    this.canvas.addEventListener("pointermove", (event) => this.#read(event));
    this.canvas.addEventListener("pointerleave", () => (this.readout.textContent = this.words));
    this.ready = this.#load(packed.png);
  }

  async #load(png) {
    const image = element("img", { src: `data:image/png;base64,${png}` });
    await image.decode();
    this.side = image.naturalWidth;
    const context = element("canvas", { width: this.side, height: this.side }).getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    this.levels = context.getImageData(0, 0, this.side, this.side).data.filter((_, place) => place % 4 === 0);
    this.canvas.width = this.canvas.height = this.side;
  }

  async paint(colours) {
    await this.ready;
    const pixels = new ImageData(this.side, this.side);
    this.levels.forEach((level, cell) => pixels.data.set(colours.subarray(4 * level, 4 * level + 4), 4 * cell));
    this.canvas.getContext("2d").putImageData(pixels, 0, 0);
  }

  #read(event) {
    const box = this.canvas.getBoundingClientRect();
    const cell = (share) => Math.min(this.side - 1, Math.max(0, Math.floor(share * this.side)));
    const column = cell((event.clientX - box.left) / box.width);
    const row = cell((event.clientY - box.top) / box.height);
    const cosine = data.low + (this.levels[row * this.side + column] / (LEVELS - 1)) * (1 - data.low);
    this.readout.textContent = `${this.#moment(row)} and ${this.#moment(column)}: ${cosine.toFixed(2)}`;
  }

  #moment(cell) {
    if (!this.times.length) return `image ${cell + 1}`;
    return this.times[cell] >= 120 ? clock(this.times[cell]) : `${this.times[cell].toFixed(1)} s`;
  }
}
