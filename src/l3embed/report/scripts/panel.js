// The selected file: what it is, how it sounds or looks, and its nearest neighbours. It stands beside the map, or
// beside the list in which the file was chosen.

const HINTS = { none: "No file is selected.", elsewhere: "The selected file is shown beside its list." };

class Panel extends EventTarget {
  constructor(player) {
    super();
    this.player = player;
    this.hint = byId("hint");
    this.home = byId("panel");
    this.place = byId("selected");
    this.rows = [];
    this.current = -1;
    player.addEventListener("change", () => this.#follow());
  }

  clear() {
    this.rows = [];
    this.file = null;
    this.#fill([]);
    this.moveTo(this.home);
  }

  // Stand beside another list; without one, beside the map.
  moveTo(panel) {
    if (this.place.parentElement !== panel) panel.append(this.place);
    this.hint.hidden = this.file !== null && panel === this.home;
    this.hint.querySelector("p").textContent = panel === this.home ? HINTS.none : HINTS.elsewhere;
  }

  show(map, point, canGoBack) {
    this.map = map;
    this.file = map.files[point];
    this.current = -1;
    this.neighbours = neighboursOf(map, point);
    this.rows = this.neighbours.map((neighbour) => this.#row(neighbour));
    this.#fill([
      ...this.#heading(canGoBack),
      ...this.#picture(),
      ...this.#sound(),
      this.#facts(map, point),
      ...this.#prediction(predictionOf(map, point)),
      ...this.#doubts(),
      ...this.#source(),
      ...this.#list(),
    ]);
    this.moveTo(this.place.parentElement);
    this.#follow();
  }

  // A file without embeddings: why it has none.
  showFailed(file) {
    this.rows = [];
    this.current = -1;
    this.file = file;
    this.seek = null;
    this.#fill([...this.#heading(false), ...this.#doubts(), ...this.#source()]);
    this.#follow();
  }

  // What had the focus is gone then, and the keys would go to nobody: the panel around it takes it over.
  #fill(content) {
    const hadFocus = this.place.contains(document.activeElement);
    this.place.replaceChildren(...content);
    this.place.hidden = !content.length;
    if (hadFocus) this.place.parentElement.focus({ preventScroll: true });
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
        ...this.#swatch(this.file),
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

  #prediction(prediction) {
    if (!prediction) return [];
    const { takenFor, confidence, isMistake } = prediction;
    const words = element("span", {}, "Taken for ", element("bdi", {}, data.labels[takenFor] || "no label"), `${isMistake ? "" : ", as labelled"}: ${percent(confidence)} sure`);
    return [element("p", { class: isMistake ? "taken mistake" : "taken" }, ...this.#lookOf(takenFor), words)];
  }

  #doubts() {
    const doubts = (doubtsOf.get(this.file) ?? []).map(({ kind, words }) => [kind, `It ${words}`]);
    const failures = (failuresOf.get(this.file) ?? []).map(({ modality, reason }) => ["failed", `${modality === "audio" ? "Sound" : "Picture"}: ${reason}`]);
    const lines = [...failures, ...doubts].map(([kind, words]) => element("li", {}, doubtMark(kind, ""), " ", words));
    return lines.length ? [element("ul", { class: "reasons" }, ...lines)] : [];
  }

  #source() {
    const held = files.held[this.file];
    const words = held ? `${held & HELD.sound ? "The first seconds are" : "A small picture is"} in this page. ` : "Read from the dataset's folder. ";
    const address = files.address(this.file);
    const link = address ? element("a", { href: address, target: "_blank", rel: "noopener" }, "Open the original") : "";
    return [element("p", { class: "source" }, address || held ? words : "Too far away to be opened here. ", link)];
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
        onfocusin: ({ target }) => {
          // After a click on its round button the keys are the list's: Enter moves there, and the space bar stops.
          if (target.matches(".play") && !target.matches(":focus-visible")) return target.closest("li").querySelector(".to").focus();
          this.current = this.rows.findIndex((row) => row.contains(document.activeElement));
          this.#send("near", point);
        },
        onfocusout: () => this.#send("near", null),
      },
      element("div", { class: "media" }, ...picture, ...(files.hasSound(file) ? [playButton(this.player, file)] : [])),
      element(
        "button",
        { type: "button", class: "to", title: files.path(file), onclick: () => this.#send("choose", point) },
        element("span", { class: "what" }, element("bdi", { class: "name" }, files.name(file)), element("span", { class: "kind" }, ...this.#swatch(file), element("bdi", {}, files.labelName(file) || "no label"))),
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
    return this.#lookOf(files.label[file]);
  }

  // A label that no file of the map has looks like nothing.
  #lookOf(label) {
    const look = this.map?.looks.get(label);
    return look ? [swatch(look)] : [];
  }

  #send(name, point) {
    this.dispatchEvent(new CustomEvent(name, { detail: { point } }));
  }
}
