// The thread that is open: its turns, and the one that is being answered.

import { json } from "./api.js";
import { addTurn, notice, showTurns, stick, TurnView } from "./conversation.js";
import { announce, find } from "./dom.js";
import { run, why } from "./turn.js";

const AGAIN = "Try again";

export class Session {
  thread = newId();
  views = [];
  #messages = 0; // of the thread
  #running = null; // AbortController of the turn that is being answered
  #drawing;
  #actions;
  #changed;

  // `drawing` shows paths, `actions` makes the buttons of a hop, `changed` is called when threads may be others.
  constructor({ drawing, actions, changed }) {
    this.#drawing = drawing;
    this.#actions = actions;
    this.#changed = changed;
  }

  get running() {
    return this.#running !== null;
  }

  stop() {
    this.#running?.abort();
  }

  fresh() {
    this.#enter(newId(), 0, []);
    history.replaceState(null, "", location.pathname);
  }

  // Show a thread; throws ApiError or LostError. Returns the model that answered last.
  async open(id) {
    const [{ messages, model }, { data }] = await Promise.all([
      json(`/threads/${id}`),
      json(`/threads/${id}/turns`),
    ]);
    const views = messages.flatMap(({ role }, index) =>
      role === "user" ? [this.#told(messages, index, data.findLast(({ before }) => before === index), model)] : [],
    );
    this.#enter(id, messages.length, views);
    this.#keep();
    return model;
  }

  async ask(question, model) {
    const view = this.#view(question, model, this.#messages);
    this.views.push(view);
    addTurn(view);
    await this.#answer(view);
  }

  // Have a turn that was cut short, or failed, answered.
  async goOn(view) {
    view.path.drop();
    view.writing.clear();
    await this.#answer(view);
  }

  #enter(id, messages, views) {
    this.stop();
    this.#run(null);
    [this.thread, this.#messages, this.views] = [id, messages, views];
    notice("");
    showTurns(views);
    this.#look(views.at(-1));
  }

  #keep() {
    history.replaceState(null, "", `#thread=${this.thread}`);
  }

  #view(question, model, before) {
    const view = new TurnView(question, model, {
      look: () => this.#look(view),
      actions: (hop, place) => this.#actions(view, hop, place),
    });
    view.before = before;
    return view;
  }

  // The view of a turn that is over, from what the server remembers.
  #told(messages, index, turn, model) {
    const view = this.#view(messages[index].content, turn?.model ?? model ?? "", index);
    const answer = messages[index + 1]?.role === "assistant" ? messages[index + 1] : null;
    view.path.whole(turn?.hops ?? []);
    if (answer === null) view.close("Not answered yet", this.#buttons(view, "Go on"));
    else if (answer.unanswered) view.close("No answer", this.#buttons(view, index + 2 === messages.length && AGAIN));
    else view.close("", this.#buttons(view));
    view.writing.append(answer?.content ?? "");
    view.writing.finish().then(() => stick());
    if (answer?.unanswered) view.fail(why(turn?.hops ?? []));
    return view;
  }

  #look(view) {
    if (!this.running) this.#drawing.path(view?.model ?? "", view?.path.hops ?? []);
  }

  #buttons(view, goOn) {
    const edit = ["Ask otherwise in a fork", () => this.#actions.edit(view)];
    return goOn ? [[goOn, () => this.goOn(view)], edit] : [edit];
  }

  #run(control) {
    this.#running = control;
    find("#stop").hidden = !control;
    find("#send").hidden = Boolean(control);
  }

  async #answer(view) {
    const control = new AbortController();
    const current = () => this.#running === control;
    this.stop();
    this.#run(control);
    notice("");
    view.begin();
    this.#drawing.begin(view.model, view.path.hops);
    const { model, question, before } = view;
    const asked = { model, question, before, thread: this.thread, reflection: find("#reflection").value };
    try {
      await run(asked, this.#watching(view, current), control.signal);
      await view.writing.finish();
      view.close("", this.#buttons(view));
      announce(`Answer: ${view.writing.text}`);
      if (current()) {
        this.#messages = before + 2;
        notice("");
      }
    } catch (error) {
      view.path.stop();
      await view.writing.finish();
      if (error.octopus) {
        view.fail(error.message);
        view.close("No answer", this.#buttons(view, AGAIN));
        announce(`No answer: ${error.message}`);
        if (current()) this.#messages = before + 2;
      } else view.close(control.signal.aborted ? "Stopped" : "Not finished", this.#buttons(view, "Go on"));
      if (current()) notice(control.signal.aborted || error.octopus ? "" : error.message);
    }
    if (current()) {
      this.#run(null);
      this.#keep();
      this.#look(view);
      stick();
    }
    await this.#changed();
  }

  #watching(view, current) {
    let lost = false;
    const going = () => {
      if (lost && current()) notice("");
      lost = false;
    };
    return {
      decision: (decision) => {
        going();
        view.path.decision(decision);
        if (current()) this.#drawing.decision(decision);
        stick();
        announce(`${decision.master} chose ${decision.node || "nobody"}.`);
      },
      hop: (hop) => {
        going();
        view.path.hop(hop);
        if (current()) this.#drawing.hop(hop);
      },
      text: (text) => {
        going();
        view.writing.append(text);
        stick();
      },
      hops: (hops) => view.path.whole(hops),
      lost: (seconds, error) => {
        lost = true;
        if (current()) notice(`${error.message} Trying again in ${seconds} s.`);
      },
      again: () => {
        if (current()) notice("Trying again…");
        view.path.drop();
        view.writing.clear();
        if (current()) this.#drawing.begin(view.model, view.path.hops);
      },
    };
  }
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
