// Finding a file by parts of its path, in any script, with or without accents.

const MOST_FOUND = 12;

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

class Search extends EventTarget {
  constructor(field, list, view) {
    super();
    Object.assign(this, { field, list, view, found: [], active: -1 });
    field.addEventListener("input", () => this.#look());
    field.addEventListener("keydown", (event) => this.#key(event));
    field.addEventListener("blur", () => this.#close());
    field.addEventListener("focus", () => this.#look());
  }

  show(map) {
    this.map = map;
    this.names = null;
    this.field.value = "";
    this.#close();
  }

  #look() {
    const words = plain(this.field.value).split(/\s+/).filter((word) => word);
    if (!words.length) return this.#close();
    this.names ??= Array.from(this.map.files, (file) => plain(files.path(file)));
    this.found = [];
    this.names.forEach((name, point) => words.every((word) => name.includes(word)) && this.found.push(point));
    const known = new Set(this.found);
    this.view.setEmphasis((point) => known.has(point));
    this.active = this.found.length ? 0 : -1;
    this.#list();
  }

  #list() {
    const shown = this.found.slice(0, MOST_FOUND).map((point, place) => this.#option(point, place));
    const more = this.found.length - shown.length;
    const rest = this.found.length ? (more > 0 ? `and ${more.toLocaleString("en")} more` : "") : "No file has this in its name.";
    this.list.replaceChildren(...shown, ...(rest ? [element("li", { class: "rest", "aria-disabled": "true" }, rest)] : []));
    this.list.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.#mark();
  }

  #option(point, place) {
    const file = this.map.files[point];
    return element(
      "li",
      {
        role: "option",
        id: `found-${place}`,
        onpointerdown: (event) => {
          event.preventDefault(); // the field keeps the focus until the file is chosen
          this.#choose(place);
        },
      },
      swatch(this.map.looks.get(files.label[file])),
      element("bdi", { class: "name" }, files.name(file)),
      element("bdi", { class: "folder" }, files.folder(file)),
    );
  }

  #mark() {
    const options = [...this.list.querySelectorAll("[role=option]")];
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === this.active)));
    if (options[this.active]) this.field.setAttribute("aria-activedescendant", `found-${this.active}`);
    else this.field.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const last = Math.min(this.found.length, MOST_FOUND) - 1;
    if (event.key === "Enter" && this.active >= 0 && !this.list.hidden) this.#choose(this.active);
    else if (event.key === "ArrowDown") this.active = Math.min(last, this.active + 1);
    else if (event.key === "ArrowUp") this.active = Math.max(0, this.active - 1);
    else if (event.key === "Escape") this.#close();
    else return;
    event.preventDefault();
    this.#mark();
  }

  #choose(place) {
    const point = this.found[place];
    this.#close();
    this.dispatchEvent(new CustomEvent("choose", { detail: { point } }));
  }

  #close() {
    this.list.hidden = true;
    this.found = [];
    this.active = -1;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
    this.view.setEmphasis(null);
  }
}
