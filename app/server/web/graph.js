// The graph, drawn; it lights up as tokens are chosen.

import { drawn, percent } from "./dom.js";
import { key, layout } from "./layout.js";
import { Progress } from "./progress.js";

const CHANCE = 70; // pixels of a probability, its mark, and the margins
const MARKS = { deciding: "…", chosen: "▸", answered: "✓", declined: "–", unavailable: "✗" };

export class Drawing {
  #home;
  #select;
  graph = null; // the one that is drawn
  #progress = null;
  #nodes = new Map();
  #edges = new Map();
  #selected = null;

  // `select` is told the name of a node that somebody chose.
  constructor(home, select) {
    this.#home = home;
    this.#select = select;
    new ResizeObserver(() => this.#draw()).observe(home);
  }

  show(graph) {
    this.graph = graph;
    this.#selected = null;
    this.#progress = new Progress(graph);
    this.#nodes.clear();
    this.#draw();
  }

  // A turn that begins or goes on after some hops: the entry decides.
  begin(hops) {
    this.path(hops);
    this.#progress.deciding(this.graph.entry);
    this.#light();
  }

  decision(decision) {
    this.#progress.decision(decision);
    this.#light();
  }

  hop(hop) {
    this.#progress.hop(hop);
    this.#light();
  }

  // The turn is over, or was another one: only these hops are lit.
  path(hops) {
    if (!this.graph) return;
    this.#progress.clear();
    hops.forEach((hop) => this.#progress.hop(hop));
    this.#light();
  }

  // Only nodes whose name or description has `text` stand out.
  find(text) {
    if (!this.#nodes.size) return;
    const wanted = text.trim().toLowerCase();
    let first = null;
    for (const { id, description } of this.graph.nodes) {
      const hit = `${id} ${description}`.toLowerCase().includes(wanted);
      this.#nodes.get(id).classList.toggle("dim", Boolean(wanted) && !hit);
      if (wanted && hit) first ??= id;
    }
    if (first) this.#reveal(first);
  }

  #draw() {
    const width = this.#home.clientWidth;
    if (!this.graph || !width) return;
    const { height, nodes, edges } = layout(this.graph, width);
    this.#nodes.clear();
    this.#edges.clear();
    const lines = edges.map((edge) => this.#edge(edge));
    const pills = this.graph.nodes.map((node) => this.#pill(node, nodes.get(node.id)));
    this.#home.replaceChildren(
      drawn(
        "svg",
        {
          width,
          height,
          viewBox: `0 0 ${width} ${height}`,
          role: "group",
          "aria-label": `${this.graph.id}: ${nodes.size} nodes. Arrow keys move between them.`,
          onkeydown: (event) => this.#move(event),
        },
        drawn("g", {}, lines.map(([line]) => line)),
        drawn("g", {}, lines.map(([, label]) => label)),
        pills,
      ),
    );
    this.#light();
  }

  #edge({ source, target, token, path, x, y, far }) {
    const line = drawn("path", { d: path, class: far ? "edge far" : "edge" });
    const label = drawn("text", { x, y: y + 4, class: far ? "token far" : "token" }, token);
    this.#edges.set(key(source, target), [line, label]);
    return [line, label];
  }

  #pill({ id, kind, description }, { x, y, width, height }) {
    const name = fitting(id, kind === "master" && width < 140 ? width - 16 : width - CHANCE);
    const made = drawn(
      "g",
      {
        class: `pill ${kind}`,
        role: "button",
        tabindex: -1,
        transform: `translate(${x} ${y})`,
        onclick: () => this.#choose(id),
      },
      drawn("title", {}, `${id}\n${description}`),
      drawn("rect", { width, height, rx: kind === "master" ? 6 : 12, class: "body" }),
      drawn("rect", { y: height - 4, x: 10, height: 2.5, rx: 1, width: 0, class: "bar", "data-full": width - 20 }),
      drawn("text", { x: 10, y: 16, class: "name" }, name),
      drawn("text", { x: width - 8, y: 16, class: "chance" }),
    );
    this.#nodes.set(id, made);
    return made;
  }

  #light() {
    if (!this.#nodes.size) return; // not drawn yet: on a phone another view may be open
    const { nodes, edges, newest } = this.#progress;
    for (const { id, kind } of this.graph.nodes) {
      const { state = "", probability } = nodes.get(id) ?? {};
      const pill = this.#nodes.get(id);
      pill.setAttribute("class", ["pill", kind, state, id === this.#selected && "selected"].filter(Boolean).join(" "));
      pill.setAttribute("aria-pressed", id === this.#selected);
      pill.setAttribute("tabindex", id === (this.#selected ?? this.graph.entry) ? 0 : -1);
      const chance = probability == null ? "" : percent(probability);
      pill.setAttribute("aria-label", [id, kind, state, chance].filter(Boolean).join(", "));
      pill.querySelector(".chance").textContent = [MARKS[state], chance].filter(Boolean).join(" ");
      const bar = pill.querySelector(".bar");
      bar.setAttribute("width", (probability ?? 0) * bar.dataset.full);
    }
    for (const [name, parts] of this.#edges) {
      const state = edges.get(name) ?? "";
      const near = !state && this.#selected && name.split("\n").includes(this.#selected) ? "near" : "";
      for (const part of parts) {
        const fixed = [...part.classList].filter((one) => ["edge", "token", "far"].includes(one));
        part.setAttribute("class", [...fixed, state, near].filter(Boolean).join(" "));
        if (state) part.parentNode.append(part); // on top of those that are not lit
      }
    }
    if (newest) this.#reveal(newest);
  }

  #choose(name) {
    this.#selected = name;
    this.#light();
    this.#select(name);
  }

  // Arrow keys go to the nearest node in their direction.
  #move(event) {
    const pills = [...this.#nodes.values()];
    const at = pills.indexOf(document.activeElement);
    if (["Enter", " "].includes(event.key) && at >= 0) this.#choose(this.graph.nodes[at].id);
    else if (event.key === "Home") this.#focus(pills[0]);
    else if (event.key === "End") this.#focus(pills.at(-1));
    else if (event.key.startsWith("Arrow") && at >= 0) this.#focus(nearest(pills[at], pills, event.key));
    else return;
    event.preventDefault();
  }

  #focus(pill) {
    if (!pill) return;
    for (const other of this.#nodes.values()) other.setAttribute("tabindex", other === pill ? 0 : -1);
    pill.focus();
    pill.scrollIntoView({ block: "nearest" });
  }

  #reveal(name) {
    const [pill, home] = [this.#nodes.get(name), this.#home];
    const [inner, outer] = [pill.getBoundingClientRect(), home.getBoundingClientRect()];
    if (inner.top >= outer.top && inner.bottom <= outer.bottom) return;
    home.scrollTop += inner.top - outer.top - outer.height / 2;
  }
}

const measure = document.createElement("canvas").getContext("2d");

// As much of a name as has room when it is bold.
function fitting(name, room) {
  measure.font = `bold 12px ${getComputedStyle(document.body).fontFamily}`;
  let found = name;
  for (let most = name.length - 1; most > 1 && measure.measureText(found).width > room; most--) {
    found = `${name.slice(0, most)}…`;
  }
  return found;
}

function nearest(from, pills, direction) {
  const middle = (pill) => {
    const { x, y, width, height } = pill.getBoundingClientRect();
    return [x + width / 2, y + height / 2];
  };
  const [x, y] = middle(from);
  const along = {
    ArrowUp: (dx, dy) => [-dy, dx],
    ArrowDown: (dx, dy) => [dy, dx],
    ArrowLeft: (dx, dy) => [-dx, dy],
    ArrowRight: (dx, dy) => [dx, dy],
  }[direction];
  let best = null;
  for (const pill of pills) {
    const [px, py] = middle(pill);
    const [ahead, aside] = along(px - x, py - y);
    const distance = ahead + 3 * Math.abs(aside);
    if (ahead > 4 && distance < (best?.distance ?? Infinity)) best = { pill, distance };
  }
  return best?.pill;
}
