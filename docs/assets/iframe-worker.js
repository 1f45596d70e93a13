// Search in pages that were opened as files: browsers start no worker there, so a hidden frame does its work.
(() => {
  if (location.protocol !== "file:") return;

  window.Worker = class extends EventTarget {
    #waiting = [];
    #frame = document.createElement("iframe");

    constructor(url) {
      super();
      this.#frame.hidden = true;
      document.body.append(this.#frame);
      const inside = this.#frame.contentWindow;
      const load = (address) =>
        new Promise((done, failed) => {
          const script = this.#frame.contentDocument.createElement("script");
          Object.assign(script, { src: address, onload: done, onerror: failed });
          this.#frame.contentDocument.body.append(script);
        });
      // What a worker knows: others' scripts, and messages to whoever made it.
      inside.importScripts = (...addresses) =>
        addresses.reduce((before, address) => before.then(() => load(address)), Promise.resolve());
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      load(url).then(() => {
        for (const data of this.#waiting.splice(0)) this.#tell(data);
        this.#waiting = undefined;
      });
    }

    postMessage(data) {
      if (this.#waiting) this.#waiting.push(data);
      else this.#tell(data);
    }

    terminate() {
      this.#frame.remove();
    }

    #tell(data) {
      this.#frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }
  };
})();
