// The page: what the parts say to each other.

import { json } from "./api.js";
import { notice } from "./conversation.js";
import { button, element, find } from "./dom.js";
import { forking } from "./forks.js";
import { Drawing } from "./graph.js";
import { installKey } from "./key.js";
import { Session } from "./session.js";
import { Threads } from "./threads.js";

const graphs = new Map(); // id → as GET /graphs/{id} says
const drawing = new Drawing(find(".drawing"), (node) => showNode(node));
const page = { graphs, open, fresh, fail };
const actions = forking(page);
const shown = {
  begin: (model, hops) => (draw(model), drawing.begin(hops)),
  path: (model, hops) => (draw(model), drawing.path(hops)),
  decision: (decision) => drawing.decision(decision),
  hop: (hop) => drawing.hop(hop),
};
const threads = new Threads({
  open: (id) => open(id).catch(fail),
  deleted: (id) => (id === page.session.thread ? fresh() : threads.refresh()),
  fresh,
  fail,
});
page.session = new Session({ drawing: shown, actions, changed: listThreads });

async function start() {
  // Read now: a question that is asked meanwhile puts its own thread there.
  const wanted = new URLSearchParams(location.hash.slice(1)).get("thread");
  const { data } = await json("/graphs");
  for (const { id } of data) graphs.set(id, await json(`/graphs/${id}`));
  find("#model").replaceChildren(...[...graphs.values()].map(models));
  draw(find("#model").value);
  await threads.refresh();
  if (wanted && !page.session.views.length) await open(wanted);
}

function models({ id, nodes }) {
  const workers = nodes.filter(({ kind }) => kind === "worker");
  return element(
    "optgroup",
    { label: id },
    element("option", { value: id }, `${id}: the Octopus chooses`),
    workers.map((node) => element("option", { value: `${id}/${node.id}` }, node.id)),
  );
}

// ----- threads

async function open(id) {
  const model = await page.session.open(id);
  if ([...find("#model").options].some(({ value }) => value === model)) find("#model").value = model;
  threads.mark(id);
  show("chat");
  find("#messages").focus();
}

function fresh() {
  page.session.fresh();
  listThreads();
  show("chat");
  find("#question").focus();
}

async function listThreads() {
  await threads.refresh();
  threads.mark(page.session.thread);
}

// ----- the drawing

function draw(model) {
  const wanted = graphs.get(model.split("/")[0]);
  if (!wanted || wanted === drawing.graph) return;
  drawing.show(wanted);
  showNode(null);
  find("#find").hidden = wanted.nodes.length < 20;
}

function showNode(name) {
  const home = find("#graph .node");
  home.hidden = !name;
  if (!name) return;
  const { description, tools, kind } = drawing.graph.nodes.find(({ id }) => id === name);
  const last = page.session.views.at(-1);
  const only = () => (find("#model").value = `${drawing.graph.id}/${name}`);
  home.replaceChildren(
    element("h3", {}, name),
    element("p", {}, description),
    element("p", { hidden: !tools.length }, `Tools: ${tools.join(", ")}`),
    element(
      "div",
      { class: "actions" },
      kind === "worker" && button(`Ask only ${name} from now on`, only),
      kind === "worker" && last && button(`What would ${name} have said?`, () => actions.another(last, name)),
    ),
  );
}

// ----- the rest

function fail(error) {
  notice(error.message);
}

function show(name) {
  document.body.dataset.view = name;
  for (const tab of document.querySelectorAll(".views button")) {
    tab.setAttribute("aria-current", String(tab.dataset.view === name));
  }
}

function install() {
  const question = find("#question");
  find("#ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = question.value.trim();
    if (!text || page.session.running) return;
    question.value = "";
    page.session.ask(text, find("#model").value);
  });
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    find("#ask").requestSubmit();
  });
  find("#stop").addEventListener("click", () => page.session.stop());
  find("#model").addEventListener("change", () => draw(find("#model").value));
  find("#find input").addEventListener("input", (event) => drawing.find(event.target.value));
  for (const tab of document.querySelectorAll(".views button")) {
    tab.addEventListener("click", () => show(tab.dataset.view));
  }
  installKey(() => location.reload());
}

install();
start().catch(fail);
