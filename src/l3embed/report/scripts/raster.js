// Ten thousand marks on a canvas in a few milliseconds, on any machine. Without a graphics card a browser takes
// fifty times as long to copy that many small pictures as it takes to blend their pixels into an array.

const COLOUR_PAIR = 0xff00ff; // red and blue of a pixel, with room between them for a product

class Raster {
  #sprites = new Map();
  #paper = null;

  attach(canvas) {
    this.context = canvas.getContext("2d");
    this.image = this.context.createImageData(canvas.width, canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    [this.width, this.height] = [canvas.width, canvas.height];
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
      const [column, row] = [Math.round(x) + line, Math.round(y) + line];
      if (row >= 0 && row < this.height) this.pixels.fill(pixel, row * this.width, (row + 1) * this.width);
      if (column < 0 || column >= this.width) continue;
      for (let place = column; place < this.pixels.length; place += this.width) this.pixels[place] = pixel;
    }
  }

  // The pixels of a mark, with the weight of each out of 256.
  sprite(look, radius, density, opacity) {
    const key = `${look.colour} ${look.shape} ${radius} ${density} ${opacity}`;
    if (!this.#sprites.has(key)) this.#sprites.set(key, this.#draw(look, radius * density, opacity));
    return this.#sprites.get(key);
  }

  // Put a mark at a place: its nearest pixel.
  stamp({ side, colours, weights }, x, y) {
    const left = Math.round(x - side / 2);
    const top = Math.round(y - side / 2);
    if (left < 0 || top < 0 || left + side > this.width || top + side > this.height) return;
    const { pixels, width } = this;
    for (let row = 0, from = 0; row < side; row++) {
      for (let to = (top + row) * width + left, end = to + side; to < end; to++, from++) {
        const weight = weights[from];
        if (weight) pixels[to] = blended(pixels[to], colours[from], weight);
      }
    }
  }

  show() {
    this.context.putImageData(this.image, 0, 0);
  }

  #draw(look, radius, opacity) {
    const side = 2 * Math.ceil(radius * 1.35 + 1);
    const context = element("canvas", { width: side, height: side }).getContext("2d", { willReadFrequently: true });
    context.translate(side / 2, side / 2);
    context.scale(radius, radius);
    const path = new Path2D(look.shape);
    context.fillStyle = style(look.colour);
    context.fill(path);
    context.lineWidth = (radius > 3.5 ? 1 : 0.5) / radius;
    context.strokeStyle = style("--surface");
    context.stroke(path);
    const { data: bytes } = context.getImageData(0, 0, side, side);
    const weights = Uint16Array.from({ length: side * side }, (_, place) => Math.round((bytes[4 * place + 3] / 255) * 256 * opacity));
    return { side, colours: new Uint32Array(bytes.buffer), weights };
  }

  #pixel(colour) {
    const context = element("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
    context.fillStyle = style(colour);
    context.fillRect(0, 0, 1, 1);
    return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0];
  }
}

// An opaque pixel under another of some weight, out of 256: two colours at a time, as they fit into 32 bits.
function blended(under, over, weight) {
  const rest = 256 - weight;
  const pair = ((Math.imul(over & COLOUR_PAIR, weight) + Math.imul(under & COLOUR_PAIR, rest)) >>> 8) & COLOUR_PAIR;
  const green = (Math.imul((over >>> 8) & 0xff, weight) + Math.imul((under >>> 8) & 0xff, rest)) & 0xff00;
  return 0xff000000 | pair | green;
}
