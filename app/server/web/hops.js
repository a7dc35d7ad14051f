// The path of a turn: each decision with its probability, query, alternatives, and what became of it.

import { button, dollars, drawn, element, percent, seconds } from "./dom.js";

const STATES = { answered: "✓", declined: "– declined", unavailable: "✗ unavailable" };
const SHOWN = 6; // choices

export class Path {
  element = element("ol", { class: "path", "aria-label": "Path through the graph" });
  hops = [];
  #waiting = []; // {decision, item, since} without a hop yet
  #passed = []; // likewise, of masters, which passed the question on
  #actions;
  #clock = null;

  // `actions` makes the buttons of a hop that is over, from the hop and its place.
  constructor(actions) {
    this.#actions = actions;
  }

  decision(decision) {
    if (decision.node) {
      this.#pass(decision.master);
      const item = hopItem(decision);
      this.element.append(item);
      this.#waiting.push({ decision, item, since: Date.now() });
    }
    this.#clock ??= setInterval(() => this.#tick(), 1000);
  }

  hop(hop) {
    // Of a turn that is shown again.
    const to = this.#passed.filter(({ decision, item }) => decision.node === hop.master && !item.isConnected);
    this.element.append(...to.map(({ item: passed }) => passed));
    const index = this.#waiting.findIndex(({ decision }) => same(decision, hop));
    const item = hopItem(hop);
    if (index < 0) this.element.append(item);
    else this.#waiting.splice(index, 1)[0].item.replaceWith(item);
    item.querySelector(".about").append(this.#actions(hop, this.hops.push(hop) - 1, item));
    if (!this.#waiting.length) this.stop();
  }

  // All hops, as the end of the turn knows them.
  whole(hops) {
    const open = [...this.element.children].map((item) => item.firstElementChild.open);
    this.drop();
    this.hops = [];
    this.element.replaceChildren();
    hops.forEach((hop) => this.hop(hop));
    [...this.element.children].forEach((item, index) => (item.firstElementChild.open = open[index] ?? false));
  }

  // Nobody works on what was decided any more.
  stop() {
    clearInterval(this.#clock);
    this.#clock = null;
    for (const { item } of this.#waiting) {
      item.classList.remove("working");
      item.querySelector(".time").textContent = "not finished";
    }
  }

  // Forget what was decided but not done.
  drop() {
    this.stop();
    this.#waiting.splice(0).forEach(({ item }) => item.remove());
  }

  // The question came to a master, which decides in its turn.
  #pass(master) {
    const index = this.#waiting.findIndex(({ decision }) => decision.node === master);
    if (index < 0) return;
    const [passed] = this.#waiting.splice(index, 1);
    passed.item.classList.remove("working");
    passed.item.querySelector(".time").textContent = seconds(passed.decision.seconds);
    this.#passed.push(passed);
  }

  #tick() {
    for (const { item, since } of this.#waiting) {
      item.querySelector(".time").textContent = `${Math.round((Date.now() - since) / 1000)} s …`;
    }
  }
}

const same = (decision, hop) =>
  decision.node === hop.node &&
  decision.branch.part === hop.branch.part &&
  decision.branch.expert === hop.branch.expert;

// Of a decision, or of the hop that it became.
function hopItem(hop) {
  const done = hop.status !== "planned";
  return element(
    "li",
    { class: done ? `hop ${hop.status}` : "hop working" },
    element(
      "details",
      {},
      element(
        "summary",
        {},
        element("span", { class: "from" }, `${hop.master} → `),
        element("code", {}, hop.token),
        element("b", {}, hop.node),
        element("span", { class: "chance" }, percent(hop.probability)),
        element("span", { class: "time" }, done ? seconds(hop.seconds) : "…"),
        done && hop.cost > 0 && element("span", { class: "cost" }, dollars(hop.cost)),
        done && element("span", { class: "state" }, STATES[hop.status] ?? hop.status),
      ),
      element("div", { class: "about" }, facts(hop, done), choices(hop), done && rounds(hop.evidence.reflection)),
    ),
  );
}

function facts(hop, done) {
  const rows = [
    ["Why", hop.reason + (hop.calibrated ? "" : " (not calibrated)")],
    [REWRITES[hop.rewrite] ?? "Query", hop.query],
    hop.branch.parts > 1 && ["Part", `${hop.branch.part + 1} of ${hop.branch.parts}`],
    hop.branch.experts > 1 && ["Expert", `${hop.branch.expert + 1} of ${hop.branch.experts}`],
    done && hop.answer && ["Said", hop.answer, "whole"],
    done && hop.evidence.function && ["Computed", call(hop.evidence)],
    done && hop.tokens > 0 && ["Tokens", `${hop.tokens}`],
    done && hop.saved > 0 && ["Saved", `${dollars(hop.saved)} over the most probable neighbour`],
    done && hop.ended && ["Ended", hop.ended],
  ];
  const cells = rows.filter(Boolean).flatMap(([name, text, kind]) => [
    element("dt", { class: kind }, name),
    element("dd", { class: kind }, text),
  ]);
  return element("dl", {}, cells);
}

const REWRITES = { changed: "Rewritten", bypassed: "Query, as asked: the rewrite lost something" };

const call = ({ function: name, arguments: given }) =>
  `${name}(${Object.entries(given ?? {}).map(([key, value]) => `${key}=${value}`).join(", ")})`;

function choices({ choices, node }) {
  if (!choices.length) return null;
  const items = choices.slice(0, SHOWN).map((choice) =>
    element(
      "li",
      { class: choice.node === node ? "chosen" : "" },
      element("span", { class: "name" }, choice.node),
      element("code", {}, choice.token),
      element("meter", { value: choice.probability, min: 0, max: 1, "aria-hidden": "true" }),
      element("span", { class: "chance" }, percent(choice.probability)),
    ),
  );
  const more = choices.length - items.length;
  return element(
    "section",
    { class: "choices" },
    element("h3", {}, "Neighbours"),
    element("ol", {}, items),
    more > 0 && element("p", {}, `and ${more} less probable`),
  );
}

function rounds(trace) {
  if (!trace) return null;
  const items = trace.rounds.map((round) =>
    element(
      "li",
      {},
      element("b", {}, round.score == null ? "not judged" : `score ${round.score.toFixed(2)}`),
      ` ${round.passed ? "✓" : ""} ${round.tokens} tokens so far. ${round.feedback}`,
      element("details", {}, element("summary", {}, "Draft"), element("p", { class: "draft" }, round.draft)),
    ),
  );
  return element(
    "section",
    { class: "rounds" },
    element("h3", {}, `Reflection: ${trace.level}`),
    element("ol", {}, items),
    element("p", {}, `Stopped: ${trace.reason}`),
  );
}

// Not every system has a font with hands.
function hand(thumb) {
  const path = "M2 9h3v8H2zM6.5 9 10 2.5c1.6 0 2.3 1.2 2 2.6L11.4 8H16c1.2 0 1.9 1 1.6 2.1l-1.5 5.6c-.2.8-.9 1.3-1.7 1.3H6.5z";
  const turn = thumb === "down" && "rotate(180 10 10)";
  return drawn("svg", { viewBox: "0 0 20 20", class: "hand" }, drawn("path", { d: path, transform: turn }));
}

// What can be done about a hop: judged, done again, or given to another.
export function hopActions({ hop, neighbours, judge, again, another }) {
  const options = () => neighbours.map((name) => element("option", {}, name));
  const right = element("select", {}, element("option", { value: "" }, "choose…"), options());
  const asked = element("label", { class: "right", hidden: true }, "Right node ", right);
  const thumbs = ["up", "down"].map((thumb) =>
    button(hand(thumb), () => press(thumb), {
      "aria-pressed": "false",
      "aria-label": thumb === "up" ? `${hop.node} was the right node` : `${hop.node} was the wrong node`,
    }),
  );
  async function press(thumb) {
    if (!(await judge({ thumb }))) return;
    thumbs.forEach((one, index) => one.setAttribute("aria-pressed", String((index === 0) === (thumb === "up"))));
    asked.hidden = thumb === "up";
  }
  right.addEventListener("change", () => right.value && judge({ thumb: "down", node: right.value }));
  const other = element("select", { "aria-label": "Another node" }, options());
  const next = neighbours.find((name) => name !== hop.node);
  if (next) other.value = next;
  return element(
    "div",
    { class: "actions" },
    thumbs,
    asked,
    button("Fork and run again from here", again),
    neighbours.length > 0 &&
      element(
        "span",
        { class: "another" },
        element("label", {}, "What would ", other),
        button("have said?", () => another(other.value)),
      ),
  );
}
