// The legend: what marks are coloured by, which groups of files are shown, and which doubts are marked.

class Legend extends EventTarget {
  constructor(place, view) {
    super();
    Object.assign(this, { place, view, chooser: byId("colouring"), doubts: byId("doubt-legend") });
  }

  show(map) {
    this.map = map;
    const name = this.colouring?.name;
    this.hidden = new Map(map.colourings.map((colouring) => [colouring, new Set()]));
    this.kinds = data.doubtKinds.map((kind, place) => ({ kind, bit: 1 << place, count: map.doubts.reduce((sum, bits) => sum + ((bits >> place) & 1), 0) })).filter(({ count }) => count);
    this.marked = this.kinds.reduce((bits, { bit }) => bits | bit, 0);
    this.isOnlyDoubtful = false;
    this.#offerColourings();
    this.#offerDoubts();
    this.#colourBy(map.colourings.find((colouring) => colouring.name === name) ?? map.colourings[0]);
  }

  #offerColourings() {
    const { colourings } = this.map;
    const choices = colourings.map((colouring) =>
      element("label", {}, element("input", { type: "radio", name: "colouring", value: colouring.name, onchange: () => this.#colourBy(colouring) }), element("span", {}, colouring.name)),
    );
    this.chooser.replaceChildren(element("span", { class: "title", "aria-hidden": "true" }, "Colour by"), element("span", { class: "segments" }, ...choices));
    this.chooser.hidden = colourings.length < 2;
  }

  #colourBy(colouring) {
    this.colouring = colouring;
    for (const radio of this.chooser.querySelectorAll("input")) radio.checked = radio.value === colouring.name;
    this.buttons = colouring.groups.map((group, place) => this.#button(group, place));
    const isOneUnnamed = colouring.groups.length === 1 && colouring.groups[0].name === "no label";
    this.all = element("button", { type: "button", class: "text", onclick: () => this.#showAll() }, "All");
    const none = element("button", { type: "button", class: "text", onclick: () => this.#hide(colouring.groups.keys()) }, "None");
    this.rest = element("span", { class: "rest" });
    this.place.replaceChildren(
      element("span", { class: "title" }, colouring.note ? `${colouring.name} (${colouring.note})` : colouring.name),
      ...this.buttons,
      element("span", { class: "all" }, this.all, ...(this.buttons.length > 2 ? [none] : []), this.rest),
    );
    this.place.hidden = isOneUnnamed;
    this.place.classList.toggle("many", this.buttons.length > 24);
    this.view.setLook({ colouring });
    this.#apply();
  }

  #button(group, place) {
    const { groupOf } = this.colouring;
    const { looks } = group;
    return element(
      "button",
      {
        type: "button",
        class: "label",
        "aria-pressed": "true",
        title: "Click to hide or show; double-click to show no other",
        onclick: () => this.#toggle(place),
        ondblclick: () => this.#hide([...this.colouring.groups.keys()].filter((other) => other !== place)),
        ...this.#emphasising((point) => groupOf[point] === place),
      },
      element("span", { class: "swatches" }, ...looks.map(swatch)),
      element("bdi", {}, group.name),
      element("span", { class: "count" }, group.count.toLocaleString("en")),
    );
  }

  #emphasising(holds) {
    const emphasise = () => this.view.setEmphasis(holds);
    const calm = () => this.view.setEmphasis(null);
    return { onpointerenter: emphasise, onpointerleave: calm, onfocus: emphasise, onblur: calm };
  }

  #toggle(place) {
    const hidden = new Set(this.hidden.get(this.colouring));
    if (!hidden.delete(place)) hidden.add(place);
    this.#hide(hidden);
  }

  #hide(places) {
    this.hidden.set(this.colouring, new Set(places));
    this.#apply();
  }

  #showAll() {
    for (const colouring of this.hidden.keys()) this.hidden.set(colouring, new Set());
    this.isOnlyDoubtful = this.only.checked = false;
    this.#apply();
  }

  #offerDoubts() {
    const buttons = this.kinds.map(({ kind, bit, count }) =>
      element(
        "button",
        {
          type: "button",
          class: "label",
          "aria-pressed": "true",
          title: "Click to mark these files or not",
          onclick: ({ currentTarget }) => {
            this.marked ^= bit;
            currentTarget.setAttribute("aria-pressed", String(Boolean(this.marked & bit)));
            this.#apply();
          },
          ...this.#emphasising((point) => this.map.doubts[point] & bit),
        },
        swatch(glyphOf(kind)),
        element("bdi", {}, kind),
        element("span", { class: "count" }, count.toLocaleString("en")),
      ),
    );
    this.only = element("input", {
      type: "checkbox",
      onchange: () => {
        this.isOnlyDoubtful = this.only.checked;
        this.#apply();
      },
    });
    this.doubts.replaceChildren(element("span", { class: "title" }, "Doubts"), ...buttons, element("label", { class: "only" }, this.only, "Show only these"));
    this.doubts.hidden = !buttons.length;
  }

  // What is shown passes the legends of all colourings: one can hide a class and then look at the mistakes of the rest.
  #apply() {
    const { doubts } = this.map;
    const shown = new Uint8Array(doubts.length).fill(1);
    for (const [{ groupOf }, hidden] of this.hidden) if (hidden.size) groupOf.forEach((group, point) => hidden.has(group) && (shown[point] = 0));
    const glyphs = new Uint8Array(doubts.length);
    doubts.forEach((bits, point) => {
      const marked = bits & this.marked;
      if (marked) glyphs[point] = 32 - Math.clz32(marked & -marked); // the worst: the lowest bit
      else if (this.isOnlyDoubtful) shown[point] = 0;
    });
    const own = this.hidden.get(this.colouring);
    this.buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(!own.has(place))));
    const count = shown.reduce((sum, each) => sum + each, 0);
    const isWhole = count === shown.length;
    this.rest.textContent = isWhole ? "" : `${count.toLocaleString("en")} of ${shown.length.toLocaleString("en")} shown`;
    this.all.hidden = isWhole && this.buttons.length < 3;
    this.view.setLook({ shown, glyphs });
    this.dispatchEvent(new Event("change"));
  }
}
