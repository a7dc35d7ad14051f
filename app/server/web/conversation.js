// What was asked and answered, turn by turn.

import { button, dollars, element, find, seconds } from "./dom.js";
import { Path } from "./hops.js";
import { Writing } from "./markdown.js";

export class TurnView {
  path;
  writing;
  #answer;
  #said;
  #foot = element("footer");

  // `actions` makes the buttons of a hop, `look` is called when somebody looks into the path.
  constructor(question, model, { actions, look }) {
    this.question = question;
    this.model = model;
    this.path = new Path(actions);
    this.path.element.addEventListener("toggle", look, true);
    const said = (this.#said = element("div", { class: "said" }));
    this.writing = new Writing(said);
    this.#answer = element("article", { class: "answer", "aria-label": "Answer", "aria-busy": "false" });
    this.#answer.append(this.path.element, said, this.#foot);
    this.element = element(
      "li",
      { class: "turn" },
      element("article", { class: "question", "aria-label": "You" }, element("p", {}, question)),
      this.#answer,
    );
  }

  begin() {
    this.#answer.classList.remove("failed");
    this.#busy = true;
    this.#foot.replaceChildren();
  }

  // The line below an answer: what it took, and what can be done now.
  close(note, actions) {
    this.#busy = false;
    const { hops } = this.path;
    const time = hops.reduce((sum, hop) => sum + hop.seconds, 0);
    const cost = hops.reduce((sum, hop) => sum + hop.cost, 0);
    const tokens = hops.reduce((sum, hop) => sum + hop.tokens, 0);
    const facts = [
      note,
      hops.length && `${hops.length} ${hops.length > 1 ? "hops" : "hop"}, ${seconds(time)}`,
      tokens && `${tokens} tokens`,
      cost && dollars(cost),
      this.model.includes("/") && `asked of ${this.model}`,
    ];
    this.#foot.replaceChildren(
      element("span", {}, facts.filter(Boolean).join(" · ")),
      ...actions.map(([text, act]) => button(text, act)),
    );
  }

  // Nobody answered: what happened stands where the answer would.
  fail(why) {
    this.#answer.classList.add("failed");
    this.#said.append(element("p", { class: "failure" }, why));
  }

  set #busy(busy) {
    this.#answer.setAttribute("aria-busy", String(busy));
    this.#answer.classList.toggle("busy", busy);
  }
}

export function showTurns(views) {
  find("#messages ol").replaceChildren(...views.map((view) => view.element));
  find("#welcome").hidden = views.length > 0;
  stick(true);
}

export function addTurn(view) {
  find("#messages ol").append(view.element);
  find("#welcome").hidden = true;
  stick(true);
}

// Keep the end in sight, unless somebody scrolled away from it.
export function stick(always = false) {
  const box = find("#messages");
  if (always || box.scrollHeight - box.scrollTop - box.clientHeight < 120) box.scrollTop = box.scrollHeight;
}

// Said plainly, until it is closed or over.
export function notice(text) {
  find("#notice").replaceChildren(...(text ? [element("p", {}, text), button("Close", () => notice(""))] : []));
}
