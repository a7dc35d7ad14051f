// Markdown that appears while it is written: plain at once, and soon after as the server renders it.

import { json } from "./api.js";
import { element, sleep } from "./dom.js";

const PAUSE = 120; // milliseconds between renderings
const MOST = 32_000; // characters that the server renders at once
const OPEN = new Set(["P", "UL", "OL", "LI", "BLOCKQUOTE", "PRE", "CODE"]);

// The only way from text to markup here. The server escapes all that a model or a person wrote.
const policy = window.trustedTypes?.createPolicy("octopus-markdown", { createHTML: (html) => html });

async function render(text) {
  return (await json("/render", { body: { text } })).blocks;
}

function marked(html) {
  const made = element("div", { class: "block" });
  made.innerHTML = policy ? policy.createHTML(html) : html;
  return made;
}

export class Writing {
  #home;
  #tail = element("span", { class: "tail" });
  #text = "";
  #from = 0; // where what is not settled begins
  #to = 0; // where what is rendered ends
  #settled = 0; // blocks
  #work = null;
  #ended = false;
  #round = 0; // of texts: what was rendered of an earlier one is not shown

  constructor(home) {
    this.#home = home;
  }

  get text() {
    return this.#text;
  }

  append(text) {
    this.#text += text.replace(/\r\n?/g, "\n");
    this.#place();
    this.#work ??= this.#render().finally(() => (this.#work = null));
  }

  clear() {
    this.#round++;
    this.#text = "";
    this.#from = this.#to = this.#settled = 0;
    this.#home.replaceChildren();
  }

  // Rendered as a whole, if it is not too long: a link may be defined after its use.
  async finish() {
    this.#ended = true;
    await this.#work;
    if (this.#from === 0 && this.#to === this.#text.length) return;
    if (this.#text.length <= MOST) this.#from = this.#to = this.#settled = 0;
    await this.#render(3);
  }

  async #render(tries = 1) {
    while (this.#to < this.#text.length) {
      const [round, to] = [this.#round, Math.min(this.#text.length, this.#from + MOST)];
      if (to <= this.#to) return; // one block, too long to render
      try {
        const blocks = await render(this.#text.slice(this.#from, to));
        if (round === this.#round) this.#show(blocks, to);
      } catch {
        if (--tries <= 0) return; // what is plain can be read too
        await sleep(1000);
      }
      if (!this.#ended) await sleep(PAUSE);
    }
  }

  #show(blocks, to) {
    const made = blocks.map(({ html }) => marked(html));
    [...this.#home.children].slice(this.#settled).forEach((old) => old.remove());
    this.#home.append(...made);
    this.#to = to;
    const line = blocks.at(-1)?.line;
    if (line) {
      // All but the last block stay as they are.
      const lines = this.#text.slice(this.#from).split("\n");
      this.#from += lines.slice(0, line).join("\n").length + 1;
      this.#settled += blocks.length - 1;
    }
    this.#place();
  }

  // What is not rendered yet goes on where the last block ends.
  #place() {
    this.#tail.textContent = this.#text.slice(this.#to);
    let place = this.#home;
    if (this.#to && place.lastElementChild !== this.#tail) {
      place = place.lastElementChild ?? place;
      while (OPEN.has(place.lastElementChild?.tagName)) place = place.lastElementChild;
    }
    if (this.#tail.textContent) place.append(this.#tail);
    else this.#tail.remove();
  }
}
