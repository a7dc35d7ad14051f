// What is known of a turn at each node and edge, from its decisions and hops.

import { key } from "./layout.js";

const END = "<nexa_end>";

export class Progress {
  nodes = new Map(); // name → {state, probability}
  edges = new Map(); // key → "chosen" while its worker works, "done" after it
  newest = null; // the node that something happened at

  clear() {
    this.nodes.clear();
    this.edges.clear();
    this.newest = null;
  }

  deciding(master) {
    this.#at(master, "deciding");
  }

  decision(decision) {
    for (const one of decision.fan.length ? decision.fan : [decision]) {
      this.#chances(one);
      if (!one.node || one.token === END) continue;
      this.#at(one.node, "chosen", one.probability);
      this.edges.set(key(one.master, one.node), "chosen");
    }
  }

  hop(hop) {
    this.#chances(hop);
    this.#at(hop.node, hop.status, hop.probability);
    this.edges.set(key(hop.master, hop.node), "done");
  }

  // The probabilities of a decision; those of an earlier one at the same node are over.
  #chances({ master, choices }) {
    this.#at(master, "done");
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
