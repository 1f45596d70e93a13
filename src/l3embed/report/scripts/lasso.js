// A lasso: a line drawn around marks, by mouse, pen or finger, picks them.

const LASSO_STEP = 3; // pixels between two corners of the line

class Lasso extends EventTarget {
  #pointer = null;

  // It is thrown while the button is pressed down or, whatever the button says, with the Shift key.
  constructor(view, button) {
    super();
    Object.assign(this, { view, button, active: false });
    button.addEventListener("click", () => this.toggle());
    const { marks } = view;
    const listen = (name, act) => marks.addEventListener(name, act, { capture: true });
    listen("pointerdown", (event) => this.#down(event));
    listen("pointermove", (event) => this.#move(event));
    listen("pointerup", (event) => this.#up(event));
    listen("pointercancel", () => this.cancel());
  }

  toggle() {
    this.active = !this.active;
    this.cancel();
    this.button.setAttribute("aria-pressed", String(this.active));
    this.view.marks.classList.toggle("lassoing", this.active);
  }

  // Tells whether there was a line to forget.
  cancel() {
    if (this.#pointer === null) return false;
    this.#pointer = this.view.lasso = null;
    this.view.redrawMarks();
    return true;
  }

  // With two fingers the map is moved and zoomed, lasso or not.
  #down(event) {
    if (this.#pointer !== null) return this.cancel();
    if (event.button || !(this.active || event.shiftKey)) return;
    event.stopImmediatePropagation();
    this.#pointer = event.pointerId;
    this.view.lasso = [this.#at(event)];
    // Fingers have no Shift key: each line adds.
    this.way = event.altKey ? "remove" : event.shiftKey || event.pointerType === "touch" ? "add" : "replace";
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    event.stopImmediatePropagation();
    const { marks, lasso } = this.view;
    for (const each of event.getCoalescedEvents?.() ?? []) this.#extend(lasso, this.#at(each));
    this.#extend(lasso, this.#at(event));
    if (lasso.length > 1) marks.setPointerCapture(event.pointerId);
    this.view.redrawMarks();
  }

  #extend(lasso, [x, y]) {
    const [left, top] = lasso.at(-1);
    if (Math.hypot(x - left, y - top) >= LASSO_STEP) lasso.push([x, y]);
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    event.stopImmediatePropagation();
    const { lasso } = this.view;
    this.cancel();
    if (lasso.length > 2) this.#send(this.way, enclosed(this.view, lasso));
    else this.#click(...lasso[0], event.shiftKey);
  }

  // A click stays a click; with Shift it picks one mark, or drops it.
  #click(x, y, shift) {
    const point = this.view.find(x, y);
    if (point === null) return;
    if (shift) this.#send("toggle", [point]);
    else this.view.dispatchEvent(new CustomEvent("choose", { detail: { point } }));
  }

  #send(way, points) {
    this.dispatchEvent(new CustomEvent("pick", { detail: { way, points } }));
  }

  #at(event) {
    const box = this.view.marks.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}

// The points that are shown inside of a line, wherever it crosses itself: around which it turns not zero times.
function enclosed(view, line) {
  const corners = Float64Array.from([...line, line[0]].flat());
  const [left, right] = [Math.min(...line.map(([x]) => x)), Math.max(...line.map(([x]) => x))];
  const [top, bottom] = [Math.min(...line.map(([, y]) => y)), Math.max(...line.map(([, y]) => y))];
  const found = [];
  for (let point = 0; point < view.x.length; point++) {
    const [x, y] = [view.x[point], view.y[point]];
    if (!view.shown[point] || x < left || x > right || y < top || y > bottom) continue;
    let turns = 0;
    for (let i = 0; i + 2 < corners.length; i += 2) {
      const [y1, y2] = [corners[i + 1], corners[i + 3]];
      if (y1 <= y === y2 <= y) continue;
      if (corners[i] + ((y - y1) / (y2 - y1)) * (corners[i + 2] - corners[i]) > x) turns += y2 > y1 ? 1 : -1;
    }
    if (turns) found.push(point);
  }
  return found;
}
