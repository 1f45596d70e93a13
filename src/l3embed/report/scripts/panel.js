// The selected file: what it is, how it sounds or looks, and its nearest neighbours.

class Panel extends EventTarget {
  constructor(player) {
    super();
    this.player = player;
    this.hint = byId("hint");
    this.place = byId("selected");
    this.rows = [];
    this.current = -1;
    player.addEventListener("change", () => this.#follow());
  }

  clear() {
    this.rows = [];
    this.file = null;
    this.place.hidden = true;
    this.hint.hidden = false;
  }

  show(map, point, canGoBack) {
    this.map = map;
    this.file = map.files[point];
    this.current = -1;
    this.neighbours = neighboursOf(map, point);
    this.rows = this.neighbours.map((neighbour) => this.#row(neighbour));
    this.place.replaceChildren(
      ...this.#heading(canGoBack),
      ...this.#picture(),
      ...this.#sound(),
      this.#facts(map, point),
      ...this.#source(),
      ...this.#list(),
    );
    this.place.hidden = false;
    this.hint.hidden = true;
    this.#follow();
  }

  // Go up or down in the list of neighbours, and hear what is there.
  step(change) {
    if (!this.rows.length) return;
    const last = this.rows.length - 1;
    this.current = this.current < 0 ? (change > 0 ? 0 : last) : Math.min(last, Math.max(0, this.current + change));
    const { file } = this.neighbours[this.current];
    this.rows[this.current].querySelector(".to").focus();
    if (files.hasSound(file)) this.player.play(file);
  }

  #heading(canGoBack) {
    const label = files.labelName(this.file);
    const folder = files.folder(this.file);
    return [
      element(
        "div",
        { class: "heading" },
        element("h3", {}, element("bdi", {}, files.name(this.file))),
        ...(canGoBack ? [element("button", { type: "button", class: "text", title: "Backspace", onclick: () => this.#send("back") }, "Back")] : []),
      ),
      element(
        "p",
        { class: "kind" },
        this.#swatch(this.file),
        element("bdi", {}, label || "no label"),
        ...(folder && folder !== label ? [element("bdi", { class: "folder" }, folder)] : []),
      ),
    ];
  }

  #picture() {
    const source = files.picture(this.file);
    if (source) {
      const image = element("img", { class: "picture", src: source, alt: files.name(this.file) });
      image.addEventListener("error", () => image.replaceWith(this.#missing()));
      return [image];
    }
    if (files.media[this.file] !== MEDIA.video) return [];
    const video = element("video", { class: "picture", src: files.address(this.file), controls: true, preload: "metadata" });
    video.addEventListener("error", () => video.replaceWith(this.#missing()));
    return [video];
  }

  #sound() {
    if (!files.hasSound(this.file)) return [];
    this.seek = element("input", { type: "range", min: 0, max: 1, step: "any", value: 0, "aria-label": "Position in the sound", oninput: () => this.player.seek(Number(this.seek.value)) });
    this.time = element("span", { class: "time" });
    this.fault = element("p", { class: "fault", hidden: true }, "The browser cannot play this file from here.");
    return [element("div", { class: "sound" }, playButton(this.player, this.file), this.seek, this.time), this.fault];
  }

  #facts(map, point) {
    const frames = map.frames[point];
    const channels = files.channels[this.file];
    const facts = [
      lengthOf(files.duration[this.file]),
      Number.isNaN(files.rate[this.file]) ? "" : `${Number((files.rate[this.file] / 1000).toFixed(2))} kHz`,
      channels ? ["", "mono", "stereo"][channels] ?? `${channels} channels` : "",
      `${frames.toLocaleString("en")} ${frames === 1 ? "embedding" : "embeddings"}`,
    ];
    return element("p", { class: "facts" }, facts.filter((fact) => fact).join(" · "));
  }

  #source() {
    const held = files.held[this.file];
    const words = held ? `${held & HELD.sound ? "The first seconds are" : "A small picture is"} in this page. ` : "Read from the dataset's folder. ";
    return [element("p", { class: "source" }, words, element("a", { href: files.address(this.file), target: "_blank", rel: "noopener" }, "Open the original"))];
  }

  #missing() {
    return element("p", { class: "fault" }, `The original was not found at ${decodeURI(data.address)}: keep this page where it was written.`);
  }

  #list() {
    if (!this.rows.length) return [element("p", { class: "facts" }, "There is no other file to compare it with.")];
    return [
      element("h4", {}, element("span", {}, "Nearest neighbours"), element("span", { class: "unit" }, "cosine")),
      element("ol", { class: "neighbours" }, ...this.rows),
    ];
  }

  #row(neighbour) {
    const { file, point, similarity } = neighbour;
    const picture = files.held[file] & HELD.picture ? [element("img", { src: files.picture(file), alt: "", loading: "lazy" })] : [];
    return element(
      "li",
      {
        onpointerenter: () => this.#send("near", point),
        onpointerleave: () => this.#send("near", null),
        onfocusin: () => {
          this.current = this.rows.findIndex((row) => row.contains(document.activeElement));
          this.#send("near", point);
        },
        onfocusout: () => this.#send("near", null),
      },
      element("div", { class: "media" }, ...picture, ...(files.hasSound(file) ? [playButton(this.player, file)] : [])),
      element(
        "button",
        { type: "button", class: "to", title: files.path(file), onclick: () => this.#send("choose", point) },
        element("span", { class: "what" }, element("bdi", { class: "name" }, files.name(file)), element("span", { class: "kind" }, this.#swatch(file), element("bdi", {}, files.labelName(file) || "no label"))),
        element("span", { class: "similarity" }, similarity.toFixed(3)),
      ),
    );
  }

  // Keep the slider and the buttons with the sound.
  #follow() {
    showPlaying(this.player);
    if (this.file === null || !files.hasSound(this.file) || !this.seek) return;
    const { audio } = this.player;
    const own = this.player.file === this.file;
    const known = own && Number.isFinite(audio.duration);
    this.seek.disabled = !known;
    this.seek.value = known ? audio.currentTime / audio.duration : 0;
    this.time.textContent = known ? `${clock(audio.currentTime)} / ${clock(audio.duration)}` : "";
    this.fault.hidden = !(own && this.player.failed);
  }

  #swatch(file) {
    return swatch(this.map.looks.get(files.label[file]));
  }

  #send(name, point) {
    this.dispatchEvent(new CustomEvent(name, { detail: { point } }));
  }
}
