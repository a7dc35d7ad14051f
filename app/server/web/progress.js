// What is known of a turn at each node and edge, from its decisions and hops.

import { key } from "./layout.js";
import { parents } from "./tree.js";

const END = "<nexa_end>";

export class Progress {
  nodes = new Map(); // name → {state, probability}
  edges = new Map(); // key → "chosen" while its worker works, "done" after it
  newest = null; // the node that something happened at
  #parents;

  constructor(graph) {
    this.#parents = parents(graph);
  }

  clear() {
    this.nodes.clear();
    this.edges.clear();
    this.newest = null;
  }

  deciding(master) {
    this.#at(master, "deciding");
  }

  decision(decision) {
    this.#chances(decision);
    if (!decision.node || decision.token === END) return;
    this.#at(decision.node, "chosen", decision.probability);
    this.edges.set(key(decision.master, decision.node), "chosen");
  }

  hop(hop) {
    // Hops are of workers only: masters on the way to the one that decided have passed the question on.
    for (let node = hop.master; this.#parents.get(node); node = this.#parents.get(node)) {
      const above = this.#parents.get(node);
      if (!this.nodes.get(above)?.state) this.#at(above, "done");
      if (!this.edges.has(key(above, node))) this.edges.set(key(above, node), "done");
    }
    this.#chances(hop);
    this.#at(hop.node, hop.status, hop.probability);
    this.edges.set(key(hop.master, hop.node), "done");
  }

  // The probabilities of a decision; those of an earlier one at the same node are over.
  #chances({ master, choices }) {
    this.#at(master, "done");
    const into = key(this.#parents.get(master), master);
    if (this.edges.has(into)) this.edges.set(into, "done");
    for (const { node, probability } of choices) {
      const known = this.nodes.get(node);
      if (!known?.state) this.nodes.set(node, { probability });
    }
  }

  #at(node, state, probability = this.nodes.get(node)?.probability) {
    this.nodes.set(node, { state, probability });
    this.newest = node;
  }
}
