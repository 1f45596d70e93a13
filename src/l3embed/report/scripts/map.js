// The map: marks on one canvas; what is pointed at and selected on another above it, so that it is cheap.

const MARGIN = 34; // pixels around all marks
const REACH = 14; // pixels from which a mark is found
const CLICK_SLOP = 4; // pixels that a click may move
const GLIDE_MS = 500;
const LARGEST_ZOOM = 200;
const DIMMED = 0;
const OPACITIES = [1, 0.22, 1]; // of what is dimmed, of what is not picked while others are, and of all else
const SLOW_MS = 10; // from which a picture takes too long to draw sixty a second
const ROUGH_SCALE = 0.5; // of what is drawn meanwhile
const REST_MS = 150; // after which the map counts as at rest
const GLYPH_DISTANCE = 3.25; // pixels from a mark's edge to what is drawn around it

class MapView extends EventTarget {
  #sharp = new Raster();
  #rough = new Raster();
  #raster = this.#sharp;
  #rest = null;
  #sharpMs = 0;
  #pending = false;
  #tiers = null;
  #glide = null;
  #pointers = new Map();
  #pressed = null;

  constructor(chart, points, marks) {
    super();
    Object.assign(this, { chart, points, marks, map: null, view: null, point: null, hovered: null, neighbour: null });
    Object.assign(this, { emphasis: null, picked: null, lasso: null, slowMs: SLOW_MS, isRough: false });
    this.zoom = 1;
    this.centre = [0, 0];
    new ResizeObserver(() => this.#resize()).observe(chart);
    this.#listen();
  }

  // Show a modality; the view of the same name stays if it has one.
  show(map, viewName) {
    const start = performance.now();
    this.map = map;
    this.point = this.hovered = this.neighbour = null;
    this.colouring = map.colourings[0];
    this.shown = new Uint8Array(map.files.length).fill(1);
    this.glyphs = new Uint8Array(map.files.length);
    this.picked = this.lasso = this.#tiers = null;
    this.order = shuffled(map.files.length);
    this.x = new Float32Array(map.files.length);
    this.y = new Float32Array(map.files.length);
    this.setView(map.views.find((view) => view.name === viewName) ?? map.views[0]);
    this.#resize();
    this.drawMs = performance.now() - start;
  }

  setView(view, glides = false) {
    const from = glides && !matchMedia("(prefers-reduced-motion: reduce)").matches ? [this.x.slice(), this.y.slice()] : null;
    this.view = view;
    this.#measure();
    this.#reset();
    this.#glide = from && { from, start: performance.now() };
    this.#move();
  }

  select(point) {
    this.point = point;
    this.neighbour = null;
    this.redrawMarks();
  }

  // Change what is drawn and how: the `colouring`, which points are `shown` and which `picked` (null if none
  // is), and the place of each one's glyph in the list of doubts, counted from 1.
  setLook(look) {
    Object.assign(this, look);
    this.#tiers = null;
    this.redraw();
  }

  // Dim all marks but those for which the function holds; null ends it.
  setEmphasis(emphasis) {
    if (emphasis !== this.emphasis) this.setLook({ emphasis });
  }

  restyle() {
    for (const raster of [this.#sharp, this.#rough]) raster.forget();
    clearTimeout(this.#rest);
    this.#rest = null;
    this.#draw();
    // On paper, what is clear of the upper canvas would cover the lower one.
    if (isPrinting()) this.#drawOver(this.points.getContext("2d"));
  }

  redraw() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => this.#draw());
  }

  reset() {
    this.#reset();
    this.redraw();
  }

  // Zoom around a place of the canvas, its middle if none is given.
  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.min(LARGEST_ZOOM, Math.max(1, this.zoom * factor));
    const change = zoom / this.zoom;
    const [left, top] = this.centre;
    this.centre = [x + (left - x) * change, y + (top - y) * change];
    this.zoom = zoom;
    if (zoom === 1) this.#reset();
    this.marks.classList.toggle("zoomed", zoom > 1);
    this.#move();
  }

  moveBy(x, y) {
    this.centre = [this.centre[0] + x, this.centre[1] + y];
    this.#move();
  }

  // While the map moves, and takes long to draw, it is drawn with fewer pixels; as soon as it rests, with all.
  #move() {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#rest = null;
      if (this.isRough) this.redraw();
    }, REST_MS);
    this.redraw();
  }

  // The mark that is nearest to a place, within reach.
  find(x, y, reach = REACH) {
    let best = null;
    let nearest = reach * reach;
    for (let i = 0; i < this.x.length; i++) {
      if (!this.shown[i]) continue;
      const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (distance < nearest) [nearest, best] = [distance, i];
    }
    return best;
  }

  get radius() {
    const count = this.map.files.length;
    const base = Math.min(6.5, Math.max(2.75, 60 / Math.sqrt(count + 20)));
    return Math.round(Math.min(7, base * this.zoom ** 0.25) * 4) / 4;
  }

  #measure() {
    const { points } = this.view;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < points.length; i += 2) {
      left = Math.min(left, points[i]);
      right = Math.max(right, points[i]);
      low = Math.min(low, points[i + 1]);
      high = Math.max(high, points[i + 1]);
    }
    this.middle = [(left + right) / 2, (low + high) / 2];
    this.extent = [right - left || 1, high - low || 1];
  }

  #reset() {
    this.zoom = 1;
    this.centre = [this.width / 2, this.height / 2];
    this.marks.classList.remove("zoomed");
  }

  #resize() {
    const { clientWidth, clientHeight } = this.chart;
    if (!this.map || !clientWidth || isPrinting()) return;
    const whole = this.zoom === 1;
    Object.assign(this, { width: clientWidth, height: clientHeight, density: devicePixelRatio || 1 });
    for (const canvas of [this.points, this.marks]) {
      canvas.width = Math.round(clientWidth * this.density);
      canvas.height = Math.round(clientHeight * this.density);
    }
    this.#sharp.attach(this.points);
    this.#rough.attach(this.points, ROUGH_SCALE);
    if (whole) this.#reset();
    this.#draw();
  }

  // Where the marks are on the canvas, in pixels of the page. Both directions have one scale: distances count.
  #place() {
    const [width, height] = this.extent;
    this.scale = Math.min((this.width - 2 * MARGIN) / width, (this.height - 2 * MARGIN) / height) * this.zoom;
    const { points } = this.view;
    const [x, y] = this.middle;
    for (let i = 0; i < this.x.length; i++) {
      this.x[i] = this.centre[0] + (points[2 * i] - x) * this.scale;
      this.y[i] = this.centre[1] - (points[2 * i + 1] - y) * this.scale;
    }
  }

  #advanceGlide() {
    const share = Math.min(1, (performance.now() - this.#glide.start) / GLIDE_MS);
    const eased = 1 - (1 - share) ** 3;
    const [x, y] = this.#glide.from;
    for (let i = 0; i < this.x.length; i++) {
      this.x[i] = x[i] + (this.x[i] - x[i]) * eased;
      this.y[i] = y[i] + (this.y[i] - y[i]) * eased;
    }
    if (share === 1) this.#glide = null;
  }

  #draw() {
    this.#pending = false;
    if (!this.width) return;
    const start = performance.now();
    this.isRough = this.#rest !== null && this.#sharpMs > this.slowMs;
    this.#raster = this.isRough ? this.#rough : this.#sharp;
    this.#place();
    const gliding = this.#glide !== null;
    if (gliding) this.#advanceGlide();
    this.#raster.clear();
    if (this.view.axes[0] && !gliding) this.#drawOrigin();
    this.#tiers ??= this.#lineUp();
    this.#tiers.forEach((points, tier) => this.#drawMarks(points, tier));
    this.#raster.show();
    if (!this.isRough) this.#sharpMs = performance.now() - start;
    this.redrawMarks();
    if (this.#glide) this.#move();
  }

  // Points in the order in which they are drawn, by how they stand out. It is the same from frame to frame.
  #lineUp() {
    const { shown, emphasis, picked, colouring } = this;
    const tiers = [[], [], []];
    for (const point of this.order) {
      if (!shown[point]) continue;
      if (emphasis) tiers[emphasis(point) ? 2 : DIMMED].push(point);
      else tiers[picked && !picked[point] ? 1 : 2].push(point);
    }
    const rank = (point) => colouring.groups[colouring.groupOf[point]].rank;
    if (colouring.groups[0].rank !== undefined) for (const points of tiers) points.sort((a, b) => rank(a) - rank(b));
    return tiers.map((points) => Uint32Array.from(points));
  }

  #drawMarks(points, tier) {
    if (!points.length) return;
    const { radius, glyphs, x, y } = this;
    const density = this.density * this.#raster.scale;
    const { looks, lookOf } = this.colouring;
    const dimmed = ({ shape }) => ({ shape, colour: "--dimmed" });
    const marks = looks.map((look) => this.#raster.sprite(tier === DIMMED ? dimmed(look) : look, radius, density, OPACITIES[tier]));
    for (const point of points) this.#raster.stamp(marks[lookOf[point]], x[point] * density, y[point] * density);
    if (tier === DIMMED) return;
    const around = [];
    for (const point of points) {
      const glyph = glyphs[point];
      if (!glyph) continue;
      around[glyph] ??= this.#raster.sprite(glyphOf(data.doubtKinds[glyph - 1]), radius + GLYPH_DISTANCE, density, OPACITIES[tier]);
      this.#raster.stamp(around[glyph], x[point] * density, y[point] * density);
    }
  }

  #drawOrigin() {
    const density = this.density * this.#raster.scale;
    const x = (this.centre[0] - this.middle[0] * this.scale) * density;
    const y = (this.centre[1] + this.middle[1] * this.scale) * density;
    this.#raster.lines(x, y, Math.ceil(density), "--faint");
  }

  redrawMarks() {
    const context = this.marks.getContext("2d");
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    this.#drawOver(context);
    context.resetTransform();
  }

  #drawOver(context) {
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    if (this.point !== null) this.#drawSelection(context);
    if (this.hovered !== null) this.#ring(context, this.hovered, "--ink", 1.5, 3);
    if (this.lasso) this.#drawLasso(context);
  }

  #drawLasso(context) {
    const path = new Path2D();
    for (const [x, y] of this.lasso) path.lineTo(x, y);
    path.closePath();
    context.fillStyle = context.strokeStyle = style("--accent");
    context.globalAlpha = 0.12;
    context.fill(path);
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.setLineDash([5, 3]);
    context.stroke(path);
    context.setLineDash([]);
  }

  #drawSelection(context) {
    const found = neighboursOf(this.map, this.point).map(({ point }) => point);
    context.strokeStyle = style("--accent");
    context.lineWidth = 1;
    context.globalAlpha = 0.45;
    context.beginPath();
    for (const point of found) {
      context.moveTo(this.x[this.point], this.y[this.point]);
      context.lineTo(this.x[point], this.y[point]);
    }
    context.stroke();
    context.globalAlpha = 1;
    for (const point of found) this.#ring(context, point, "--accent", 1.25, 2.5);
    if (this.neighbour !== null) this.#ring(context, this.neighbour, "--accent", 3, 5);
    this.#ring(context, this.point, "--ink", 2.5, 5);
  }

  #ring(context, point, colour, width, distance) {
    context.beginPath();
    context.arc(this.x[point], this.y[point], this.radius + distance, 0, 2 * Math.PI);
    context.lineWidth = width + 2;
    context.strokeStyle = style("--surface");
    context.stroke();
    context.lineWidth = width;
    context.strokeStyle = style(colour);
    context.stroke();
  }

  #hover(point, x, y) {
    if (point !== this.hovered) {
      this.hovered = point;
      this.redrawMarks();
    }
    this.marks.classList.toggle("pointing", point !== null);
    this.dispatchEvent(new CustomEvent("hover", { detail: { point, x, y } }));
  }

  #listen() {
    const at = (event) => {
      const box = this.marks.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const release = (event) => {
      this.#pointers.delete(event.pointerId);
      this.#pressed = null;
      this.marks.classList.remove("dragging");
    };
    this.marks.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.#pointers.set(event.pointerId, at(event));
      this.#pressed = { at: at(event), moved: this.#pointers.size > 1 };
    });
    this.marks.addEventListener("pointermove", (event) => this.#drag(event, at(event)));
    this.marks.addEventListener("pointerup", (event) => {
      const [x, y] = at(event);
      const point = this.#pressed && !this.#pressed.moved ? this.find(x, y, event.pointerType === "touch" ? 2 * REACH : REACH) : null;
      release(event);
      if (point !== null) this.dispatchEvent(new CustomEvent("choose", { detail: { point } }));
    });
    this.marks.addEventListener("pointercancel", release);
    this.marks.addEventListener("pointerleave", () => this.#hover(null));
    this.marks.addEventListener("dblclick", (event) => this.zoomBy(2, ...at(event)));
    this.marks.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
        event.preventDefault();
        this.zoomBy(2 ** (-event.deltaY / (event.deltaMode ? 6 : 200)), ...at(event));
      },
      { passive: false },
    );
  }

  #drag(event, [x, y]) {
    const last = this.#pointers.get(event.pointerId);
    if (!last) {
      if (event.pointerType !== "touch") this.#hover(this.find(x, y), x, y);
      return;
    }
    if (!this.#pressed.moved && Math.hypot(x - this.#pressed.at[0], y - this.#pressed.at[1]) < CLICK_SLOP) return;
    this.#pressed.moved = true;
    this.marks.setPointerCapture(event.pointerId);
    this.marks.classList.add("dragging");
    this.#hover(null);
    this.#pointers.set(event.pointerId, [x, y]);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) this.zoomBy(Math.hypot(x - other[0], y - other[1]) / Math.hypot(last[0] - other[0], last[1] - other[1]), ...other);
    else this.moveBy(x - last[0], y - last[1]);
  }
}

// A fixed order at random, so that no class always lies on top (Knuth's shuffle on a linear congruence).
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = 1;
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
