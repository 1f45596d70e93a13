// One sound at a time.

class Player extends EventTarget {
  constructor() {
    super();
    this.file = null;
    this.failed = false;
    this.audio = element("audio", { id: "audio", preload: "auto" });
    document.body.append(this.audio);
    for (const name of ["play", "pause", "ended", "timeupdate", "durationchange"]) {
      this.audio.addEventListener(name, () => this.#tell());
    }
    this.audio.addEventListener("error", () => {
      this.failed = this.audio.hasAttribute("src");
      this.#tell();
    });
  }

  get playing() {
    return !this.audio.paused && !this.audio.ended;
  }

  isPlaying(file) {
    return this.playing && this.file === file;
  }

  play(file) {
    if (file !== this.file || this.failed) {
      this.file = file;
      this.failed = false;
      this.audio.src = files.sound(file);
    }
    this.audio.currentTime = 0;
    // A sound that another one replaces before it starts is no fault; a real one comes as an "error" event.
    this.audio.play().catch(() => this.#tell());
  }

  toggle(file) {
    if (this.isPlaying(file)) this.stop();
    else this.play(file);
  }

  stop() {
    this.audio.pause();
  }

  seek(share) {
    if (Number.isFinite(this.audio.duration)) this.audio.currentTime = share * this.audio.duration;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

// A round button that plays one file, and stops it.
function playButton(player, file) {
  const button = element("button", {
    type: "button",
    class: "play",
    "data-file": file,
    onclick: (event) => {
      event.stopPropagation();
      player.toggle(file);
    },
  });
  button.innerHTML = '<svg viewBox="0 0 16 16" aria-hidden="true"><path class="on" d="M5 3l8 5-8 5z"/><path class="off" d="M4 3h3v10H4zM9 3h3v10H9z"/></svg>';
  return button;
}

// Every play button of the page shows whether its file can be heard just now.
function showPlaying(player, within = document) {
  for (const button of within.querySelectorAll("button.play")) {
    const playing = player.isPlaying(Number(button.dataset.file));
    button.classList.toggle("playing", playing);
    button.setAttribute("aria-label", `${playing ? "Stop" : "Play"} ${files.name(Number(button.dataset.file))}`);
  }
}
