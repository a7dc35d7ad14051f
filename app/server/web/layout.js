// Where the nodes and edges of a graph are drawn, for a given width. Text keeps its size: what does not fit
// beside each other goes below, so that three nodes and three hundred can both be read.

import { groups } from "./tree.js";

const ROW = 30;
const PILL = 24;
const LABEL = 68; // of a functional token
const LETTER = 6;
const EDGE = 8;
const FAN = 26; // neighbours that one master fans out to; beyond it, a grid

export const key = (source, target) => `${source}\n${target}`;

// {width, height, nodes: Map(name → {x, y, width, height}), edges: [{source, target, token, path, x, y, far}]};
// x and y of an edge are the right end of its label, and `far` are edges drawn only while they matter.
export function layout(graph, width) {
  const all = groups(graph);
  const drawing = all.length === 1 && all[0].leaves.length <= FAN ? fan(all[0], width) : grid(all, width);
  const drawnAlready = new Set(drawing.edges.map((edge) => key(edge.source, edge.target)));
  for (const { source, target, token } of graph.edges) {
    if (drawnAlready.has(key(source, target))) continue;
    drawing.edges.push({ source, target, token, far: true, ...across(drawing.nodes, source, target) });
  }
  return { width, ...drawing };
}

// One master on the left, its neighbours on the right.
function fan({ head, leaves }, width) {
  const height = Math.max(leaves.length, 1) * ROW + 2 * EDGE;
  const headWidth = Math.min(130, Math.max(78, width * 0.2));
  const leafWidth = Math.min(240, width - headWidth - LABEL - 2 * EDGE - 18);
  const x = width - leafWidth - EDGE;
  const nodes = new Map([[head, box(EDGE, height / 2, headWidth)]]);
  const edges = leaves.map(({ name, token }, row) => {
    const y = EDGE + (row + 0.5) * ROW;
    nodes.set(name, box(x, y, leafWidth));
    const start = EDGE + headWidth;
    const bend = start + (x - LABEL - start) * 0.75;
    const path = `M${start} ${height / 2}C${bend} ${height / 2} ${start} ${y} ${x - LABEL} ${y}${into(x, y, token)}`;
    return { source: head, target: name, token, path, x: x - 5, y };
  });
  return { height, nodes, edges };
}

// Groups below each other, the members of each in columns beside a spine.
function grid(all, width) {
  const nodes = new Map();
  const edges = [];
  let y = EDGE;
  for (const group of all) {
    y += ROW / 2;
    placeHead(group, width, y, nodes, edges);
    y = placeLeaves(group, width, y + ROW / 2, nodes, edges) + 6;
  }
  return { height: y + EDGE, nodes, edges };
}

function placeHead({ head, parent, depth, token }, width, y, nodes, edges) {
  const x = EDGE + indent(depth) + (depth ? LABEL : 0);
  nodes.set(head, box(x, y, Math.min(220, width - x - EDGE)));
  if (!depth) return;
  const spine = EDGE + indent(depth - 1) + 7;
  const top = nodes.get(parent).y + PILL;
  edges.push({ source: parent, target: head, token, path: `M${spine} ${top}V${y}${into(x, y, token)}`, x: x - 5, y });
}

function placeLeaves({ head, depth, leaves }, width, top, nodes, edges) {
  const left = EDGE + indent(depth + 1);
  const room = width - left - EDGE;
  const columns = Math.max(1, Math.min(Math.floor(room / 200), Math.ceil(leaves.length / 5)));
  const rows = Math.ceil(leaves.length / columns);
  const start = nodes.get(head);
  const cell = Math.min(room / columns, 320);
  leaves.forEach(({ name, token }, index) => {
    const spine = left + Math.floor(index / rows) * cell;
    const x = spine + LABEL;
    const y = top + 8 + ((index % rows) + 0.5) * ROW;
    nodes.set(name, box(x, y, cell - LABEL - 8));
    const from = start.x + 12;
    const path = `M${from} ${start.y + PILL}V${top + 2}H${spine}V${y}${into(x, y, token)}`;
    edges.push({ source: head, target: name, token, path, x: x - 5, y });
  });
  return leaves.length ? top + 8 + rows * ROW : top;
}

// An arc between two nodes that are drawn already.
function across(nodes, source, target) {
  const [from, to] = [nodes.get(source), nodes.get(target)];
  const [x1, y1] = [from.x + from.width, from.y + PILL / 2];
  const [x2, y2] = [to.x + to.width, to.y + PILL / 2];
  const bulge = Math.max(x1, x2) - 14;
  return {
    path: `M${x1 - 30} ${y1}C${bulge - 60} ${y1} ${bulge - 60} ${y2} ${x2 - 30} ${y2}`,
    x: bulge - 40,
    y: (y1 + y2) / 2,
  };
}

// The end of an edge at x, with a gap for its token.
const into = (x, y, token) => `H${x - 8 - LETTER * token.length}M${x - 4} ${y}H${x}`;

const indent = (depth) => Math.min(depth * 18, 90);

const box = (x, middle, width) => ({ x, y: middle - PILL / 2, width, height: PILL });
