// What tables of files have in their columns.

const several = new Set(inputs.map((row) => row.modality)).size > 1;
const evaluated = inputs.some((row) => row.prediction);

const labelCell = (row, label) => [...(row.map?.looks.has(label) ? [swatch(row.map.looks.get(label))] : []), element("bdi", {}, data.labels[label] || "no label")];

const COLUMNS = {
  file: {
    name: "File",
    kind: "file",
    value: (row) => files.path(row.file),
    cell: (row, table) => {
      const folder = files.folder(row.file);
      const button = row.map && files.hasSound(row.file) ? playButton(table.player, row.file) : element("i");
      button.tabIndex = -1; // the space bar plays the active row
      return element(
        "div",
        { title: files.path(row.file) },
        button,
        element("bdi", { class: "name" }, files.name(row.file)),
        ...(folder && folder !== files.labelName(row.file) ? [element("bdi", { class: "folder" }, folder)] : []),
      );
    },
  },
  modality: { name: "Of", kind: "modality", value: (row) => row.modality, cell: (row) => (row.modality === "audio" ? "sound" : "pictures") },
  label: {
    name: "Label",
    kind: "label-of",
    value: (row) => files.labelName(row.file) || null,
    cell: (row) => element("div", {}, ...labelCell(row, files.label[row.file])),
  },
  takenFor: {
    name: "Taken for",
    kind: "taken-for",
    title: "By the linear probe, when it had not learnt from the file",
    value: (row) => (row.prediction ? data.labels[row.prediction.takenFor] : null),
    cell: (row) => (row.prediction ? element("div", { class: row.prediction.isMistake ? "mistake" : "right" }, ...labelCell(row, row.prediction.takenFor)) : "–"),
  },
  confidence: {
    name: "Sure",
    kind: "number",
    descends: true,
    title: "How surely: the probability that the linear probe gave to that class",
    value: (row) => row.prediction?.confidence ?? null,
    cell: (row) => (row.prediction ? percent(row.prediction.confidence) : "–"),
  },
  fold: { name: "Fold", kind: "fold", value: (row) => row.prediction?.fold ?? null, cell: (row) => element("bdi", {}, row.prediction?.fold ?? "–") },
  duration: {
    name: "Length",
    kind: "number",
    value: (row) => (Number.isNaN(files.duration[row.file]) ? null : files.duration[row.file]),
    cell: (row) => lengthOf(files.duration[row.file]) || "–",
  },
  doubts: {
    name: "Doubts",
    kind: "doubt-marks",
    // The worst first, then those about which there are more.
    value: (row) => (row.failure ? -1 : row.doubts.length ? data.doubtKinds.indexOf(row.doubts[0].kind) : null),
    cell: (row) => (row.failure ? doubtMark("failed", row.failure) : row.doubts.map(({ kind, words }) => doubtMark(kind, `It ${words}`))),
  },
};

const BRIEF_COLUMNS = [COLUMNS.file, COLUMNS.confidence, COLUMNS.fold, COLUMNS.duration, COLUMNS.doubts];

const ALL_COLUMNS = [
  COLUMNS.file,
  ...(several ? [COLUMNS.modality] : []),
  COLUMNS.label,
  ...(evaluated ? [COLUMNS.takenFor, COLUMNS.confidence, COLUMNS.fold] : []),
  COLUMNS.duration,
  COLUMNS.doubts,
];

// The table of all files, with what narrows it down.
class AllFiles {
  constructor(player, open) {
    this.field = byId("filter");
    this.toggles = [byId("only-mistakes"), byId("only-doubtful")];
    this.toggles[0].hidden = !evaluated;
    this.table = new FileTable(byId("rows"), ALL_COLUMNS, { caption: "All files", open, player });
    this.table.show(inputs);
    this.field.addEventListener("input", () => this.#soon());
    for (const toggle of this.toggles) {
      toggle.addEventListener("click", () => {
        toggle.setAttribute("aria-pressed", String(toggle.getAttribute("aria-pressed") !== "true"));
        this.#narrow();
      });
    }
    this.#tell();
  }

  // Show the files about which there is a kind of doubt.
  showDoubts(kind) {
    this.field.value = kind;
    this.toggles.forEach((toggle, i) => toggle.setAttribute("aria-pressed", String(i === 1)));
    this.#narrow();
    byId("files").scrollIntoView();
    this.table.table.focus({ preventScroll: true });
  }

  #soon() {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.#narrow());
  }

  #narrow() {
    const words = plain(this.field.value).split(/\s+/).filter((word) => word);
    const [mistakes, doubtful] = this.toggles.map((toggle) => toggle.getAttribute("aria-pressed") === "true");
    if (words.length) this.texts ??= new Map(inputs.map((row) => [row, textOf(row)]));
    this.table.filter(
      (row) =>
        (!mistakes || row.prediction?.isMistake) &&
        (!doubtful || row.doubts.length || row.failure) &&
        words.every((word) => this.texts.get(row).includes(word)),
    );
    this.#tell();
  }

  #tell() {
    const [shown, all] = [this.table.rows.length, inputs.length].map((count) => count.toLocaleString("en"));
    byId("shown").textContent = shown === all ? `${all} ${inputs.length === 1 ? "row" : "rows"}` : `${shown} of ${all} rows`;
  }
}

// All by which a row is found.
function textOf({ file, prediction, doubts, failure }) {
  const takenFor = prediction ? data.labels[prediction.takenFor] : "";
  return plain([files.path(file), files.labelName(file), takenFor, ...doubts.map(({ kind }) => kind), failure && "failed"].join("\n"));
}
