// Tens of thousands of marks on a canvas in a few milliseconds, on any machine. Without a graphics card a browser
// takes fifty times as long to copy that many small pictures as it takes to blend their pixels into an array.

const COLOUR_PAIR = 0xff00ff; // red and blue of a pixel, with room between them for a product
const OPAQUE = 0xff000000;
const [OWN, PAPER] = ["#f00", "#00f"];
const BORDER = 40; // pixels beyond the canvas, so that a mark at its edge is cut and not left out

class Raster {
  #sprites = new Map();
  #masks = new Map();
  #colours = new Map();
  #scratch = element("canvas").getContext("2d", { willReadFrequently: true });
  #copy = element("canvas").getContext("2d", { willReadFrequently: true });

  // At another scale than the canvas's own it takes fewer pixels, and is enlarged when it is shown.
  attach(canvas, scale = 1) {
    this.context = canvas.getContext("2d");
    this.scale = scale;
    [this.width, this.height] = [canvas.width, canvas.height].map((side) => Math.ceil(side * scale) + 2 * BORDER);
    this.image = new ImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.#masks.clear(); // they know the width
    this.#sprites.clear();
  }

  // After a change of the theme.
  forget() {
    this.#sprites.clear();
    this.#colours.clear();
  }

  clear() {
    this.pixels.fill(this.#pixel("--surface"));
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
    const outline = look.shape ?? look.line;
    const key = `${look.colour} ${outline} ${radius} ${density} ${opacity}`;
    const maskKey = `${outline} ${radius} ${density}`;
    if (!this.#masks.has(maskKey)) this.#masks.set(maskKey, this.#mask(look, radius, density));
    if (!this.#sprites.has(key)) this.#sprites.set(key, this.#paint(this.#masks.get(maskKey), look.colour, opacity));
    return this.#sprites.get(key);
  }

  // Put a mark at a place: its nearest pixel. Most pixels cover what is below them, and only edges are blended.
  stamp({ side, solid, colours, soft, pairs, greens, rests }, x, y) {
    const left = Math.round(x - side / 2) + BORDER;
    const top = Math.round(y - side / 2) + BORDER;
    if (left < 0 || top < 0 || left + side > this.width || top + side > this.height) return;
    const { pixels } = this;
    const start = top * this.width + left;
    for (let i = 0; i < solid.length; i++) pixels[start + solid[i]] = colours[i];
    for (let i = 0; i < soft.length; i++) {
      const under = pixels[start + soft[i]];
      const pair = ((pairs[i] + Math.imul(under & COLOUR_PAIR, rests[i])) >>> 8) & COLOUR_PAIR;
      pixels[start + soft[i]] = OPAQUE | pair | ((greens[i] + Math.imul((under >>> 8) & 0xff, rests[i])) & 0xff00);
    }
  }

  show() {
    if (this.scale === 1) return this.context.putImageData(this.image, -BORDER, -BORDER);
    const { canvas } = this.#copy;
    [canvas.width, canvas.height] = [this.width, this.height];
    this.#copy.putImageData(this.image, 0, 0);
    const [left, top, width, height] = [-BORDER, -BORDER, this.width, this.height].map((length) => length / this.scale);
    this.context.drawImage(canvas, left, top, width, height);
  }

  // The form of a mark, once for all colours: the browser draws it in red, and in blue what will be of the paper's
  // colour; only the pixels are kept that are not clear.
  #mask({ shape, line }, radius, density) {
    const side = 2 * Math.ceil(radius * density * 1.35 + (line ? 2 : 1));
    this.#scratch.canvas.width = this.#scratch.canvas.height = side;
    this.#scratch.setTransform(radius * density, 0, 0, radius * density, side / 2, side / 2);
    if (shape) this.#fill(new Path2D(shape), radius * density);
    else this.#draw(new Path2D(line), radius);
    const { data: bytes } = this.#scratch.getImageData(0, 0, side, side);
    const known = Array.from({ length: side * side }, (_, place) => place).filter((place) => bytes[4 * place + 3]);
    return {
      side,
      places: Int32Array.from(known, (place) => Math.floor(place / side) * this.width + (place % side)),
      shares: Float32Array.from(known, (place) => bytes[4 * place] / (bytes[4 * place] + bytes[4 * place + 2] || 1)),
      weights: Float32Array.from(known, (place) => bytes[4 * place + 3] / 255),
    };
  }

  #fill(path, radius) {
    this.#scratch.fillStyle = OWN;
    this.#scratch.fill(path);
    this.#scratch.lineWidth = (radius > 3.5 ? 1 : 0.5) / radius;
    this.#scratch.strokeStyle = PAPER;
    this.#scratch.stroke(path);
  }

  // With a seam of the paper's colour, so that it can be seen on other marks.
  #draw(path, radius) {
    this.#scratch.lineCap = "round";
    for (const [colour, width] of [[PAPER, 3], [OWN, 1.35]]) {
      this.#scratch.lineWidth = width / radius;
      this.#scratch.strokeStyle = colour;
      this.#scratch.stroke(path);
    }
  }

  // Pixels that cover, by their colour; others by their part of the sums in which they will be blended, out of 256.
  #paint({ side, places, shares, weights }, colour, opacity) {
    const [own, paper] = [this.#pixel(colour), this.#pixel("--surface")];
    const level = (shift, i) => Math.round(((own >>> shift) & 0xff) * shares[i] + ((paper >>> shift) & 0xff) * (1 - shares[i]));
    const weight = (i) => Math.round(weights[i] * opacity * 256);
    const all = Array.from(places.keys());
    const [covering, blending] = [all.filter((i) => weight(i) === 256), all.filter((i) => weight(i) < 256)];
    return {
      side,
      solid: Int32Array.from(covering, (i) => places[i]),
      colours: Uint32Array.from(covering, (i) => OPAQUE | (level(16, i) << 16) | (level(8, i) << 8) | level(0, i)),
      soft: Int32Array.from(blending, (i) => places[i]),
      pairs: Int32Array.from(blending, (i) => Math.imul((level(16, i) << 16) | level(0, i), weight(i))),
      greens: Int32Array.from(blending, (i) => level(8, i) * weight(i)),
      rests: Int32Array.from(blending, (i) => 256 - weight(i)),
    };
  }

  #pixel(colour) {
    if (!this.#colours.has(colour)) {
      this.#scratch.canvas.width = this.#scratch.canvas.height = 1;
      this.#scratch.fillStyle = style(colour);
      this.#scratch.fillRect(0, 0, 1, 1);
      this.#colours.set(colour, new Uint32Array(this.#scratch.getImageData(0, 0, 1, 1).data.buffer)[0]);
    }
    return this.#colours.get(colour);
  }
}
