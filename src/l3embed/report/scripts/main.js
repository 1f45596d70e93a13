// The page at work: what follows from a click, a key, or another theme.

const matrices = data.figures.map((packed, place) => new Matrix(document.querySelector(`[data-figure="${place}"]`), packed));

function paintMatrices() {
  const colours = rampColours();
  return Promise.all(matrices.map((matrix) => matrix.paint(colours)));
}

class Workbench {
  constructor() {
    this.player = new Player();
    this.view = new MapView(byId("chart"), byId("points"), byId("marks"));
    this.lasso = new Lasso(this.view, byId("lasso"));
    this.legend = new Legend(byId("legend"), this.view);
    this.picks = new Picks(byId("picks"), this.view, this.lasso, this.legend);
    this.panel = new Panel(this.player);
    this.search = new Search(byId("search"), byId("found"), this.view);
    this.tip = byId("tip");
    this.history = [];
    this.#listen();
    this.show(0);
  }

  // Show a file of a list beside that list.
  open({ file, map, point }, panel) {
    if (!map) {
      this.view.select(null);
      this.history = [];
      this.player.stop();
      this.panel.showFailed(file);
    } else {
      if (map !== this.map) this.show(maps.indexOf(map));
      this.select(point);
    }
    this.panel.moveTo(panel);
    panel.scrollIntoView({ block: "nearest" });
  }

  show(place) {
    const file = this.view.point === null ? null : this.map.files[this.view.point];
    this.map = maps[place];
    for (const tab of document.querySelectorAll("[data-map]")) {
      tab.setAttribute("aria-pressed", String(Number(tab.dataset.map) === place));
    }
    this.view.show(this.map, this.view.view?.name);
    this.legend.show(this.map);
    this.picks.show(this.map);
    this.search.show(this.map);
    this.#offerViews();
    this.history = [];
    // A video is on both maps, and stays selected.
    if (this.map.pointOf.has(file)) this.select(this.map.pointOf.get(file), { plays: false });
    else this.panel.clear();
  }

  select(point, { plays = true, remembers = true } = {}) {
    if (remembers && this.view.point !== null && this.view.point !== point) this.history.push(this.view.point);
    const file = this.map.files[point];
    this.view.select(point);
    this.panel.show(this.map, point, this.history.length > 0);
    byId("announcement").textContent = `${files.name(file)}, ${files.labelName(file) || "no label"}`;
    if (plays && files.hasSound(file)) this.player.play(file);
    else this.player.stop();
  }

  back() {
    if (this.history.length) this.select(this.history.pop(), { remembers: false });
  }

  #offerViews() {
    const buttons = this.map.views.map((view) =>
      element("button", { type: "button", "aria-pressed": String(view === this.view.view), onclick: () => this.#setView(view) }, view.name),
    );
    byId("views").replaceChildren(...buttons);
    byId("views").hidden = buttons.length < 2;
    this.#nameAxes();
  }

  #setView(view) {
    this.view.setView(view, true);
    for (const button of byId("views").children) button.setAttribute("aria-pressed", String(button.textContent === view.name));
    this.#nameAxes();
  }

  #nameAxes() {
    this.view.view.axes.forEach((words, axis) => (byId(`axis-${axis}`).textContent = words));
  }

  #listen() {
    this.view.addEventListener("hover", ({ detail }) => this.#tip(detail));
    this.view.addEventListener("choose", ({ detail }) => this.#selectHere(detail.point));
    this.panel.addEventListener("choose", ({ detail }) => this.select(detail.point));
    this.panel.addEventListener("back", () => this.back());
    this.panel.addEventListener("near", ({ detail }) => {
      this.view.neighbour = detail.point;
      this.view.redrawMarks();
    });
    this.search.addEventListener("choose", ({ detail }) => {
      this.#selectHere(detail.point);
      byId("marks").focus({ preventScroll: true });
    });
    for (const tab of document.querySelectorAll("[data-map]")) tab.addEventListener("click", () => this.show(Number(tab.dataset.map)));
    const zooms = { in: () => this.view.zoomBy(1.6), out: () => this.view.zoomBy(1 / 1.6), reset: () => this.view.reset() };
    for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", zooms[button.dataset.zoom]);
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.#escape());
    document.addEventListener("keydown", (event) => event.target.closest("#map, .panel") && this.#key(event, zooms));
  }

  #selectHere(point) {
    this.select(point);
    this.panel.moveTo(this.panel.home);
  }

  // One thing at a time: what took trouble goes last.
  #escape() {
    if (this.lasso.cancel()) return;
    if (this.player.playing) this.player.stop();
    else if (!document.activeElement.matches("input:not([type=radio], [type=checkbox], [type=range])")) this.picks.clear();
  }

  #key(event, zooms) {
    if (event.target.matches("input:not([type=range]), select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const atMap = event.target === byId("marks");
    const actions = {
      ArrowDown: () => this.#step(1),
      ArrowUp: () => this.#step(-1),
      Backspace: () => this.back(),
      ...(atMap ? { ArrowRight: () => this.#step(1), ArrowLeft: () => this.#step(-1), "+": zooms.in, "=": zooms.in, "-": zooms.out, 0: zooms.reset, l: () => this.lasso.toggle(), " ": () => this.picks.toggle(this.view.point) } : {}),
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  // Through the neighbours; without a selection, to the file in the middle of the map.
  #step(change) {
    if (this.view.point !== null) return this.panel.step(change);
    const middle = this.view.find(this.view.width / 2, this.view.height / 2, Infinity);
    if (middle !== null) this.#selectHere(middle);
  }

  #tip({ point, x, y }) {
    this.tip.hidden = point === null;
    if (point === null) return;
    const file = this.map.files[point];
    if (this.tip.dataset.file !== String(file)) {
      const facts = [files.labelName(file), lengthOf(files.duration[file])].filter((fact) => fact).join(" · ");
      const picture = files.held[file] & HELD.picture ? [element("img", { src: files.picture(file), alt: "" })] : [];
      this.tip.dataset.file = file;
      this.tip.replaceChildren(...picture, element("strong", {}, element("bdi", {}, files.name(file))), element("span", {}, facts));
    }
    const { offsetWidth, offsetHeight } = this.tip;
    const left = x + 14 + offsetWidth > this.view.width ? x - 14 - offsetWidth : x + 14;
    const top = y > this.view.height / 2 ? y - 14 - offsetHeight : y + 14;
    this.tip.style.translate = `${Math.max(4, left)}px ${top}px`;
  }
}

const workbench = maps.length ? new Workbench() : null;
const isNarrow = matchMedia("(width < 940px)"); // as the style has it: panels stand below their lists
const player = workbench?.player ?? new Player();

// Lists in which a file can be chosen; the page of a dataset that failed altogether has one table, and no panel.
const openBeside = (row, panel) => workbench?.open(row, panel);
const allFiles = new AllFiles(player, (row) => openBeside(row, document.querySelector("#files .panel")));
for (const place of document.querySelectorAll(".evaluation[data-modality]")) {
  const map = maps.find(({ modality }) => modality === place.dataset.modality);
  if (map?.classes.length) new Confusions(place, map, player, openBeside);
}
for (const button of document.querySelectorAll("#doubts [data-file]")) {
  const { file, modality } = button.dataset;
  button.addEventListener("click", () => {
    const panel = document.querySelector("#doubts .panel");
    // In a narrow window right below the line: the end of the list may be far away.
    (isNarrow.matches ? button.closest("li") : document.querySelector("#doubts .with-panel")).append(panel);
    openBeside(inputOf(Number(file), modality), panel);
  });
}
for (const button of document.querySelectorAll("#doubts [data-kind]")) {
  button.addEventListener("click", () => allFiles.showDoubts(button.dataset.kind));
}

function restyle() {
  workbench?.view.restyle();
  paintMatrices();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => isPrinting() || restyle());
// All has to be drawn before: while a browser prints, it draws nothing anew.
for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(event, () => {
    document.documentElement.classList.toggle("printing", printing);
    restyle();
  });
}
paintMatrices().then(() => (document.documentElement.dataset.ready = "true"));

// For the console of whoever wants more than the page shows.
globalThis.report = { workbench, files, maps, allFiles };
