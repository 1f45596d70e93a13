// The confusion matrix: a cell lists its files. The keyboard goes from cell to cell with arrows, as in a table.

const WAYS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

class Confusions {
  constructor(place, map, player, open) {
    Object.assign(this, { place, map, player });
    this.files = place.querySelector(".cell-files");
    this.panel = this.files.querySelector(".panel");
    this.open = (row) => open(row, this.panel);
    this.cells = [...place.querySelectorAll(".confusion [data-cell]")];
    for (const cell of place.querySelectorAll("[data-cell]")) {
      cell.addEventListener("click", () => this.show(cell));
      cell.addEventListener("keydown", (event) => this.#key(event, cell));
    }
    this.#enter(this.cells.find((cell) => !isRight(cell)) ?? this.cells[0]);
  }

  show(cell) {
    const [actual, takenFor] = placesOf(cell).map((place) => this.map.classes[place]);
    const rows = inputs
      .filter(({ map, file, prediction }) => map === this.map && files.label[file] === actual && prediction?.takenFor === takenFor)
      .sort((a, b) => b.prediction.confidence - a.prediction.confidence);
    const name = (label) => element("bdi", {}, data.labels[label] || "no label");
    const count = `: ${rows.length.toLocaleString("en")} ${rows.length === 1 ? "file" : "files, the surest first"}`;
    this.files.querySelector("h4").replaceChildren(name(actual), " taken for ", name(takenFor), count);
    this.table ??= new FileTable(this.files.querySelector(".rows"), BRIEF_COLUMNS, { caption: "Files of the cell", open: this.open, player: this.player });
    this.files.hidden = false;
    this.table.show(rows);
    for (const other of this.place.querySelectorAll("[data-cell]")) other.setAttribute("aria-pressed", String(other.dataset.cell === cell.dataset.cell));
    this.files.querySelector(".rows").scrollIntoView({ block: "nearest" });
  }

  // Only one cell is reached by the tabulator: there may be thousands.
  #enter(cell) {
    for (const other of this.cells) other.tabIndex = other === cell ? 0 : -1;
  }

  #key(event, cell) {
    const way = WAYS[event.key];
    if (!way || !this.cells.includes(cell)) return;
    event.preventDefault();
    const next = this.#next(placesOf(cell), way);
    if (!next) return;
    this.#enter(next);
    next.focus();
  }

  // The next cell of the row, or the nearest one of the next row that has any: so every cell is reached.
  #next([row, column], [down, right]) {
    const places = this.cells.map((cell) => ({ cell, row: placesOf(cell)[0], column: placesOf(cell)[1] }));
    const beyond = places.filter((other) => (down ? (other.row - row) * down > 0 : other.row === row && (other.column - column) * right > 0));
    const far = (other) => (down ? Math.abs(other.row - row) * 1e6 : 0) + Math.abs(other.column - column);
    return beyond.sort((a, b) => far(a) - far(b))[0]?.cell;
  }
}

const placesOf = (cell) => cell.dataset.cell.split(",").map(Number);

const isRight = (cell) => placesOf(cell)[0] === placesOf(cell)[1];
