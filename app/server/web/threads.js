// The list of threads: open, export, delete.

import { json, request } from "./api.js";
import { button, element, find } from "./dom.js";

const PAGE = 30;

export class Threads {
  #open;
  #deleted;
  #fail;
  #last = null;

  // `open` and `deleted` are told a thread's id, `fail` an error.
  constructor({ open, deleted, fail, fresh }) {
    this.#open = open;
    this.#deleted = deleted;
    this.#fail = fail;
    find("#older").addEventListener("click", () => this.#page());
    find("#new").addEventListener("click", fresh);
  }

  async refresh() {
    this.#last = null;
    await this.#page();
  }

  mark(current) {
    for (const item of find("#threads ul").children) {
      item.querySelector(".open")?.setAttribute("aria-current", String(item.dataset.id === current));
    }
  }

  async #page() {
    const list = find("#threads ul");
    const after = this.#last ? `&after=${encodeURIComponent(this.#last)}` : "";
    try {
      const { data, has_more: more } = await json(`/threads?limit=${PAGE}${after}`);
      const items = data.map((thread) => this.#item(thread));
      if (after) list.append(...items);
      else list.replaceChildren(...items);
      if (!list.children.length) list.append(element("li", { class: "none" }, "None yet."));
      this.#last = data.at(-1)?.id;
      find("#older").hidden = !more;
    } catch (error) {
      list.replaceChildren(element("li", { class: "none" }, error.message));
    }
  }

  #item({ id, title, model, updated }) {
    const name = title || id;
    return element(
      "li",
      { "data-id": id },
      button(name, () => this.#open(id), { class: "open" }),
      element(
        "div",
        { class: "actions" },
        element("small", {}, `${model ?? ""} · ${new Date(updated).toLocaleString()}`),
        button("Export", () => this.#export(id), { "aria-label": `Export ${name}` }),
        button("Delete", (event) => this.#delete(id, name, event.target), { "aria-label": `Delete ${name}` }),
      ),
    );
  }

  async #export(id) {
    try {
      const file = await (await request(`/threads/${id}/export`)).blob();
      const url = URL.createObjectURL(file);
      element("a", { href: url, download: `${id}.jsonl` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      this.#fail(error);
    }
  }

  // The first press asks, the second deletes.
  async #delete(id, name, pressed) {
    const say = (text, label) => {
      pressed.textContent = text;
      pressed.setAttribute("aria-label", `${label} ${name}`);
    };
    if (pressed.textContent === "Delete") {
      say("Really?", "Really delete");
      pressed.addEventListener("blur", () => say("Delete", "Delete"), { once: true });
      return;
    }
    try {
      await json(`/threads/${id}`, { method: "DELETE" });
      this.#deleted(id);
    } catch (error) {
      this.#fail(error);
    }
  }
}
