// The legend: which classes are shown, and how many files each has.

class Legend {
  constructor(place, view) {
    this.place = place;
    this.view = view;
  }

  show(map) {
    this.map = map;
    const counts = new Map();
    for (const file of map.files) counts.set(files.label[file], (counts.get(files.label[file]) ?? 0) + 1);
    this.labels = map.labels;
    this.hidden = new Set();
    this.buttons = this.labels.map((label) => this.#button(label, counts.get(label)));
    const all = element(
      "span",
      { class: "all" },
      element("button", { type: "button", class: "text", onclick: () => this.#hide([]) }, "All"),
      element("button", { type: "button", class: "text", onclick: () => this.#hide(this.labels) }, "None"),
    );
    const unlabelled = this.labels.length === 1 && !data.labels[this.labels[0]];
    this.place.replaceChildren(...(unlabelled ? [] : this.buttons), ...(this.labels.length > 2 ? [all] : []));
    this.place.classList.toggle("many", this.labels.length > 24);
  }

  #button(label, count) {
    const emphasise = () => this.view.setEmphasis((point) => this.view.labels[point] === label);
    const calm = () => this.view.setEmphasis(null);
    return element(
      "button",
      {
        type: "button",
        class: "label",
        "aria-pressed": "true",
        title: "Click to hide or show; double-click to show no other",
        onclick: () => this.#toggle(label),
        ondblclick: () => this.#hide(this.labels.filter((other) => other !== label)),
        onpointerenter: emphasise,
        onpointerleave: calm,
        onfocus: emphasise,
        onblur: calm,
      },
      swatch(this.map.looks.get(label)),
      element("bdi", {}, data.labels[label] || "no label"),
      element("span", { class: "count" }, count.toLocaleString("en")),
    );
  }

  #toggle(label) {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(label)) hidden.add(label);
    this.#hide(hidden);
  }

  #hide(labels) {
    this.hidden = new Set(labels);
    this.labels.forEach((label, i) => this.buttons[i].setAttribute("aria-pressed", String(!this.hidden.has(label))));
    this.view.setHidden(this.hidden);
  }
}
