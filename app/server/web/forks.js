// Having a turn otherwise: in a new thread that begins as this one was at some point. And judging a hop.

import { ApiError, json } from "./api.js";
import { announce, find } from "./dom.js";
import { hopActions } from "./hops.js";

// The buttons of a hop; `page` is {session, graphs, open, fresh, fail}.
export function forking(page) {
  const safely = (work) => (...given) => work(...given).catch(page.fail);

  async function fork(view, place = null) {
    const { data } = await json(`/threads/${page.session.thread}/turns`);
    const turn = data.find(({ before }) => before === view.before);
    const checkpoint = place === null ? turn?.checkpoint : turn?.hops[place]?.checkpoint;
    if (!checkpoint && place === null && view.before === 0) return page.fresh();
    if (!checkpoint) throw new ApiError(404, "This thread began later: there is nothing to fork from.");
    const { id } = await json(`/threads/${page.session.thread}/fork`, { body: { checkpoint } });
    return page.open(id);
  }

  async function again(view, place) {
    await fork(view, place);
    await page.session.goOn(page.session.views.at(-1));
  }

  async function another(view, node, question = view.question) {
    const model = `${view.model.split("/")[0]}/${node}`;
    await fork(view);
    await page.session.ask(question, model);
  }

  async function edit(view) {
    await fork(view);
    find("#question").value = view.question;
    find("#question").focus();
  }

  async function judge(judged) {
    await json(`/threads/${page.session.thread}/feedback`, { body: judged });
    announce("Kept, thank you.");
    return true;
  }

  const actions = (view, hop, place) => {
    const graph = page.graphs.get(view.model.split("/")[0]);
    const all = graph?.edges.filter(({ source }) => source === hop.master).map(({ target }) => target) ?? [];
    const likely = hop.choices.map(({ node }) => node).filter((node) => all.includes(node));
    return hopActions({
      hop,
      neighbours: [...new Set([...likely, ...all])],
      judge: safely((judged) => judge({ turn: hop.turn, hop: place, ...judged })),
      again: safely(() => again(view, place)),
      another: safely((node) => another(view, node, hop.branch.text || view.question)),
    });
  };
  return Object.assign(actions, { edit: safely(edit), another: safely(another) });
}
