// A table that may have any number of rows: only those in sight are in the page.

const OVERSCAN = 6; // rows beyond both ends of what is in sight
const ROW_PIXELS = 36; // until one has been measured

const collator = new Intl.Collator("en", { numeric: true });
let tables = 0;

class FileTable {
  #pending = false;
  #shown = new Map(); // what is in the page: its place among the rows, and its element

  // Columns: name, cell(row) for what is shown, value(row) for what it is sorted by (null comes last), and a class.
  constructor(place, columns, { caption, open, player }) {
    Object.assign(this, { place, columns, open, player, rows: [], active: -1, chosen: null, height: ROW_PIXELS });
    this.id = `table-${++tables}`;
    this.sorted = null;
    // What stands for the rows above and below those in the page.
    [this.above, this.below] = [0, 1].map(() => element("tr", { class: "gap", "aria-hidden": "true" }));
    this.body = element("tbody");
    this.heads = columns.map((column) => this.#head(column));
    this.table = element(
      "table",
      { role: "grid", tabindex: 0, "aria-label": caption, "aria-colcount": columns.length, onkeydown: (event) => this.#key(event) },
      element("colgroup", {}, ...columns.map((column) => element("col", { class: column.kind }))),
      element("thead", {}, element("tr", { "aria-rowindex": 1 }, ...this.heads)),
      this.body,
    );
    place.replaceChildren(this.table);
    place.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#measure()).observe(place);
  }

  show(rows) {
    this.all = rows;
    this.keep = null;
    this.#arrange();
  }

  // Show the rows for which a function holds; null shows all.
  filter(keep) {
    this.keep = keep;
    this.#arrange();
  }

  sort(column, descending) {
    this.sorted = { column, descending };
    this.columns.forEach((other, i) => {
      const way = other === column ? (descending ? "descending" : "ascending") : null;
      if (way) this.heads[i].setAttribute("aria-sort", way);
      else this.heads[i].removeAttribute("aria-sort");
    });
    this.#arrange();
  }

  #head(column) {
    const sort = () => this.sort(column, this.sorted?.column === column ? !this.sorted.descending : Boolean(column.descends));
    return element("th", { scope: "col", class: column.kind }, element("button", { type: "button", onclick: sort, title: column.title }, column.name));
  }

  #arrange() {
    const rows = this.keep ? this.all.filter(this.keep) : this.all.slice();
    if (this.sorted) sortBy(rows, this.sorted.column.value, this.sorted.descending);
    this.rows = rows;
    this.active = rows.indexOf(this.chosen);
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    this.place.scrollTop = 0;
    this.#forget();
    this.#draw();
  }

  #forget() {
    this.#shown.clear();
    this.range = null;
    this.body.replaceChildren(this.above, this.below, ...(this.rows.length ? [] : [this.#nothing()]));
  }

  #soon() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => this.#draw());
  }

  #measure() {
    const row = this.#shown.values().next().value;
    const height = row?.getBoundingClientRect().height;
    if (height && Math.abs(height - this.height) > 0.01) {
      this.height = height;
      this.#forget();
    }
    this.#draw();
  }

  #draw() {
    this.#pending = false;
    const { scrollTop, clientHeight } = this.place;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - OVERSCAN);
    const last = Math.min(this.rows.length, Math.ceil((scrollTop + clientHeight) / this.height) + OVERSCAN);
    if (this.range?.[0] === first && this.range[1] === last) return;
    this.range = [first, last];
    const drawn = new Map();
    for (let i = first; i < last; i++) drawn.set(i, this.#shown.get(i) ?? this.#row(i));
    this.#put(drawn);
    this.above.style.height = `${first * this.height}px`;
    this.below.style.height = `${(this.rows.length - last) * this.height}px`;
    this.#mark();
  }

  // Rows that stay are not touched: a browser lays out what moves.
  #put(drawn) {
    for (const [place, row] of this.#shown) if (!drawn.has(place)) row.remove();
    let next = this.above.nextSibling;
    for (const row of drawn.values()) {
      if (row === next) next = next.nextSibling;
      else this.body.insertBefore(row, next);
    }
    this.#shown = drawn;
  }

  #row(place) {
    const row = this.rows[place];
    const made = element(
      "tr",
      { id: `${this.id}-${place}`, "aria-rowindex": place + 2, onclick: () => this.#choose(place) },
      ...this.columns.map((column) => element("td", { role: "gridcell", class: column.kind }, ...[column.cell(row, this)].flat())),
    );
    showPlaying(this.player, made);
    return made;
  }

  #nothing() {
    return element("tr", { class: "nothing" }, element("td", { colspan: this.columns.length }, "No file fits."));
  }

  #mark() {
    for (const [place, row] of this.#shown) {
      row.classList.toggle("active", place === this.active);
      row.setAttribute("aria-selected", String(this.rows[place] === this.chosen));
    }
    if (this.#shown.has(this.active)) this.table.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    else this.table.removeAttribute("aria-activedescendant");
  }

  #choose(place) {
    this.active = place;
    this.chosen = this.rows[place];
    this.#mark();
    this.open(this.chosen);
  }

  #key(event) {
    if (event.target !== this.table || event.ctrlKey || event.metaKey || event.altKey || !this.rows.length) return;
    const page = Math.max(1, Math.floor(this.place.clientHeight / this.height) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.#go(steps[event.key]);
    else if (event.key === "Enter" && this.active >= 0) this.#choose(this.active);
    else if (event.key === " " && this.active >= 0) this.#toggle(this.rows[this.active]);
    else return;
    event.preventDefault();
  }

  #toggle({ file, map }) {
    if (map && files.hasSound(file)) this.player.toggle(file);
  }

  // Move to another row, and keep it clear of the head.
  #go(change) {
    this.active = Math.min(this.rows.length - 1, Math.max(0, this.active + change));
    const head = this.table.tHead.offsetHeight;
    const top = this.active * this.height;
    const { scrollTop, clientHeight } = this.place;
    if (top < scrollTop) this.place.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight - head) this.place.scrollTop = top + this.height - clientHeight + head;
    this.#draw();
    this.#mark();
  }
}

// In place; what has no value comes last, and what is equal keeps its order.
function sortBy(rows, value, descending) {
  const values = new Map(rows.map((row) => [row, value(row)]));
  const sign = descending ? -1 : 1;
  rows.sort((a, b) => {
    const [one, other] = [values.get(a), values.get(b)];
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (typeof one === "string" ? collator.compare(one, other) : one - other);
  });
}
