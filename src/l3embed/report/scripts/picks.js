// Files that were picked on the map, and the lists that can be made of them.

// A pattern as in .gitignore that one file alone fits. No pattern can hold a new line: any character stands for it.
const patternOf = (path) => `/${path.replace(/[\\*?[\]]/g, "\\$&").replace(/ +$/, (spaces) => "\\ ".repeat(spaces.length)).replace(/[\n\r]/g, "?")}`;

const csvCell = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
const csvRow = (values) => values.map(csvCell).join(",");

// The kinds of lists: each is made of files, and of the map on which they lie.
const LISTS = {
  csv: {
    type: "text/csv",
    of(picked) {
      const rows = picked.map((file) => {
        const found = predictionOfFile(file);
        const kinds = [...new Set((doubtsOf.get(file) ?? []).map(({ kind }) => kind))];
        const length = files.duration[file];
        return [
          files.path(file),
          files.labelName(file),
          found ? data.labels[found.takenFor] : "",
          found ? String(found.confidence) : "",
          found ? found.fold : "",
          Number.isNaN(length) ? "" : String(Number(length.toFixed(3))),
          kinds.join(" "),
        ];
      });
      return [["path", "label", "taken_for", "confidence", "fold", "duration_s", "doubts"], ...rows].map(csvRow).join("\n");
    },
  },
  txt: { type: "text/plain", of: (picked) => picked.map((file) => files.path(file)).join("\n") },
  // A string of JSON is one of YAML.
  yaml: { type: "application/yaml", of: (picked) => picked.map((file) => `- ${JSON.stringify(patternOf(files.path(file)))}`).join("\n") },
};

// Of a video, by its sound if that was evaluated.
function predictionOfFile(file) {
  for (const map of maps) {
    const found = map.pointOf.has(file) ? predictionOf(map, map.pointOf.get(file)) : null;
    if (found) return found;
  }
  return null;
}

class Picks {
  #chosen = new Uint8Array(files.count);

  constructor(place, view, lasso, legend) {
    Object.assign(this, { view, legend });
    const find = (selector) => place.querySelector(selector);
    Object.assign(this, { all: find("#pick-all"), some: find("#picked"), words: find("#picked-count"), kind: find("select") });
    lasso.addEventListener("pick", ({ detail }) => this.#pick(detail.way, detail.points));
    legend.addEventListener("change", () => this.#tell());
    this.all.addEventListener("click", () => this.#pick("add", Array.from(this.map.files.keys()).filter((point) => view.shown[point])));
    find("#save").addEventListener("click", () => this.#save());
    find("#copy").addEventListener("click", () => this.#copy());
    find("#clear").addEventListener("click", () => this.clear());
  }

  // Files stay picked from one map to another.
  show(map) {
    this.map = map;
    this.#apply();
  }

  toggle(point) {
    if (point !== null) this.#pick("toggle", [point]);
  }

  clear() {
    if (this.files.length) this.#pick("replace", []);
  }

  // Which files are picked, in the order of the dataset.
  get files() {
    return Array.from(this.#chosen.keys()).filter((file) => this.#chosen[file]);
  }

  #pick(way, points) {
    if (way === "replace") this.#chosen.fill(0);
    for (const point of points) {
      const file = this.map.files[point];
      this.#chosen[file] = way === "toggle" ? 1 - this.#chosen[file] : Number(way !== "remove");
    }
    this.#apply();
    byId("announcement").textContent = this.words.textContent;
  }

  #apply() {
    const picked = Uint8Array.from(this.map.files, (file) => this.#chosen[file]);
    this.view.setLook({ picked: this.#chosen.includes(1) ? picked : null });
    this.#tell();
  }

  #tell() {
    if (!this.map) return;
    const count = this.files.length;
    const visible = this.map.files.reduce((sum, file, point) => sum + (this.#chosen[file] && this.view.shown[point]), 0);
    const shown = this.view.shown.reduce((sum, each) => sum + each, 0);
    this.all.textContent = `Pick all ${shown.toLocaleString("en")} shown`;
    this.all.disabled = !shown;
    this.words.textContent = `${count.toLocaleString("en")} picked${visible < count ? `, ${(count - visible).toLocaleString("en")} of them not shown` : ""}`;
    this.some.hidden = !count;
  }

  get #list() {
    return `${LISTS[this.kind.value].of(this.files)}\n`;
  }

  #save() {
    const address = URL.createObjectURL(new Blob([this.#list], { type: `${LISTS[this.kind.value].type};charset=utf-8` }));
    element("a", { href: address, download: `picked.${this.kind.value}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    this.#say("Saved");
  }

  async #copy() {
    const text = this.#list;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages that are opened from a disk may not be allowed to.
      const field = element("textarea", { class: "visually-hidden", "aria-hidden": "true" });
      field.value = text;
      document.body.append(field);
      field.select();
      const done = document.execCommand("copy");
      field.remove();
      byId("copy").focus();
      if (!done) return this.#say("The browser did not let the page copy: save the list instead");
    }
    this.#say("Copied");
  }

  #say(words) {
    const count = this.files.length.toLocaleString("en");
    this.words.textContent = words.includes(":") ? words : `${words} ${count}`;
    byId("announcement").textContent = this.words.textContent;
  }
}
