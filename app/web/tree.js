// A graph as groups: each node that others are reached through, with those it is first to reach.

// [{head, depth, token, leaves: [{name, token}]}], the entry's first, each followed by the groups below it.
export function groups({ entry, edges }) {
  const below = Map.groupBy(edges, (edge) => edge.source);
  const tokens = new Map([[entry, ""]]); // of the edge by which a node is first reached, by breadth
  const children = new Map();
  for (const name of tokens.keys()) {
    const first = (below.get(name) ?? []).filter((edge) => !tokens.has(edge.target));
    first.forEach((edge) => tokens.set(edge.target, edge.token));
    children.set(name, first.map((edge) => edge.target));
  }
  const found = [];
  const visit = (head, depth) => {
    const [inner, leaves] = [[], []];
    for (const name of children.get(head)) (children.get(name).length ? inner : leaves).push(name);
    found.push({
      head,
      depth,
      token: tokens.get(head),
      leaves: leaves.map((name) => ({ name, token: tokens.get(name) })),
    });
    inner.forEach((name) => visit(name, depth + 1));
  };
  visit(entry, 0);
  return found;
}
