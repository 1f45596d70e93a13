// Tens of thousands of marks on a canvas in a few milliseconds, on any machine. Without a graphics card a browser
// takes fifty times as long to copy that many small pictures as it takes to blend their pixels into an array.

const COLOUR_PAIR = 0xff00ff; // red and blue of a pixel, with room between them for a product
const OPAQUE = 0xff000000;
const BORDER = 40; // pixels beyond the canvas, so that a mark at its edge is cut and not left out

class Raster {
  #sprites = new Map();
  #paper = null;

  attach(canvas) {
    this.context = canvas.getContext("2d");
    [this.width, this.height] = [canvas.width + 2 * BORDER, canvas.height + 2 * BORDER];
    this.image = new ImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.#sprites.clear(); // they know the width
  }

  // After a change of the theme.
  forget() {
    this.#sprites.clear();
    this.#paper = null;
  }

  clear() {
    this.#paper ??= this.#pixel("--surface");
    this.pixels.fill(this.#paper);
  }

  // A horizontal and a vertical line through a place.
  lines(x, y, thickness, colour) {
    const pixel = this.#pixel(colour);
    for (let line = 0; line < thickness; line++) {
      const [column, row] = [Math.round(x) + line + BORDER, Math.round(y) + line + BORDER];
      if (row >= 0 && row < this.height) this.pixels.fill(pixel, row * this.width, (row + 1) * this.width);
      if (column < 0 || column >= this.width) continue;
      for (let place = column; place < this.pixels.length; place += this.width) this.pixels[place] = pixel;
    }
  }

  // The pixels of a mark: a filled shape or, around a mark, a drawn line.
  sprite(look, radius, density, opacity) {
    const key = `${look.colour} ${look.shape ?? look.line} ${radius} ${density} ${opacity}`;
    if (!this.#sprites.has(key)) this.#sprites.set(key, this.#pack(look.line ? this.#outline(look, radius, density) : this.#draw(look, radius * density), opacity));
    return this.#sprites.get(key);
  }

  // Put a mark at a place: its nearest pixel.
  stamp({ side, places, pairs, greens, rests }, x, y) {
    const left = Math.round(x - side / 2) + BORDER;
    const top = Math.round(y - side / 2) + BORDER;
    if (left < 0 || top < 0 || left + side > this.width || top + side > this.height) return;
    const { pixels } = this;
    const start = top * this.width + left;
    for (let i = 0; i < places.length; i++) {
      const under = pixels[start + places[i]];
      const pair = ((pairs[i] + Math.imul(under & COLOUR_PAIR, rests[i])) >>> 8) & COLOUR_PAIR;
      pixels[start + places[i]] = OPAQUE | pair | ((greens[i] + Math.imul((under >>> 8) & 0xff, rests[i])) & 0xff00);
    }
  }

  show() {
    this.context.putImageData(this.image, -BORDER, -BORDER);
  }

  #canvas(side) {
    const context = element("canvas", { width: side, height: side }).getContext("2d", { willReadFrequently: true });
    context.translate(side / 2, side / 2);
    return context;
  }

  #draw(look, radius) {
    const context = this.#canvas(2 * Math.ceil(radius * 1.35 + 1));
    context.scale(radius, radius);
    const path = new Path2D(look.shape);
    context.fillStyle = style(look.colour);
    context.fill(path);
    context.lineWidth = (radius > 3.5 ? 1 : 0.5) / radius;
    context.strokeStyle = style("--surface");
    context.stroke(path);
    return context;
  }

  // With a seam of the paper's colour, so that it can be seen on other marks.
  #outline(look, radius, density) {
    const context = this.#canvas(2 * Math.ceil(radius * density * 1.35 + 2));
    context.scale(radius * density, radius * density);
    const path = new Path2D(look.line);
    context.lineCap = "round";
    for (const [colour, width] of [["--surface", 3], [look.colour, 1.35]]) {
      context.lineWidth = width / radius;
      context.strokeStyle = style(colour);
      context.stroke(path);
    }
    return context;
  }

  // Only the pixels that are not clear, each with its share of the sums in which it will be blended, out of 256.
  #pack(context, opacity) {
    const side = context.canvas.width;
    const { data: bytes } = context.getImageData(0, 0, side, side);
    const colours = new Uint32Array(bytes.buffer);
    const weightOf = (place) => Math.round((bytes[4 * place + 3] / 255) * 256 * opacity);
    const known = Array.from(colours.keys()).filter(weightOf);
    return {
      side,
      places: Int32Array.from(known, (place) => Math.floor(place / side) * this.width + (place % side)),
      pairs: Int32Array.from(known, (place) => Math.imul(colours[place] & COLOUR_PAIR, weightOf(place))),
      greens: Int32Array.from(known, (place) => Math.imul((colours[place] >>> 8) & 0xff, weightOf(place))),
      rests: Int32Array.from(known, (place) => 256 - weightOf(place)),
    };
  }

  #pixel(colour) {
    const context = this.#canvas(1);
    context.fillStyle = style(colour);
    context.fillRect(-1, -1, 2, 2);
    return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0];
  }
}
