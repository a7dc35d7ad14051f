// A graph as a tree: each node below the one that it is first reached from, by breadth.

// Name → {parent, token}, the entry's first.
function first({ entry, edges }) {
  const below = Map.groupBy(edges, ({ source }) => source);
  const found = new Map([[entry, { parent: null, token: "" }]]);
  for (const parent of found.keys()) {
    for (const { target, token } of below.get(parent) ?? []) {
      if (!found.has(target)) found.set(target, { parent, token });
    }
  }
  return found;
}

// Name → the node above it.
export function parents(graph) {
  return new Map([...first(graph)].map(([name, { parent }]) => [name, parent]));
}

// [{head, parent, depth, token, leaves: [{name, token}]}] of the nodes that have others below them, the entry's
// first, each followed by the groups below it.
export function groups(graph) {
  const reached = first(graph);
  const below = Map.groupBy(reached.keys(), (name) => reached.get(name).parent);
  const found = [];
  const visit = (head, depth) => {
    const [inner, leaves] = [[], []];
    for (const name of below.get(head) ?? []) (below.has(name) ? inner : leaves).push(name);
    const tokens = leaves.map((name) => ({ name, token: reached.get(name).token }));
    found.push({ head, ...reached.get(head), depth, leaves: tokens });
    inner.forEach((name) => visit(name, depth + 1));
  };
  visit(graph.entry, 0);
  return found;
}
