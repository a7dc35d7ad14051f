// One turn: asked, streamed, and gone on with after a lost connection.

import { ApiError, json, LostError, request } from "./api.js";
import { sleep } from "./dom.js";
import { serverSent } from "./stream.js";

const WAITS = [0.5, 1, 2, 4, 8, 15, 30, 30, 30]; // seconds

// `asked` is {model, thread, question, before, reflection}, `before` the number of messages that the thread had.
// `seen` is told of decision(…), hop(…), text(…), hops(…), lost(seconds) and again().
export async function run(asked, seen, signal) {
  for (let attempt = 0; ; attempt++) {
    try {
      if (attempt && (await finished(asked, seen))) return;
      await stream(asked, seen, signal);
      return;
    } catch (error) {
      if (signal.aborted || !passes(error) || attempt >= WAITS.length) throw error;
      seen.lost(WAITS[attempt], error);
    }
    await Promise.race([sleep(1000 * WAITS[attempt]), aborted(signal)]);
    signal.throwIfAborted();
    seen.again();
  }
}

async function stream({ model, thread, question, reflection }, seen, signal) {
  const body = {
    model,
    stream: true,
    messages: [{ role: "user", content: question }],
    octopus: reflection ? { reflection } : {},
  };
  const response = await request("/v1/chat/completions", { body, thread, signal });
  for await (const { choices, octopus } of serverSent(response)) {
    if (octopus?.decision) seen.decision(octopus.decision);
    if (octopus?.hop) seen.hop(octopus.hop);
    if (choices[0]?.delta.content) seen.text(choices[0].delta.content);
    if (octopus?.hops) seen.hops(octopus.hops);
  }
}

// Whether the turn came to its end without us; if so, what came of it is shown.
async function finished({ thread, before }, seen) {
  let found;
  try {
    found = await json(`/threads/${thread}`);
  } catch (error) {
    if (error instanceof ApiError && [403, 404].includes(error.status)) return false;
    throw error;
  }
  if (found.messages.length < before + 2) return false;
  seen.hops(found.hops);
  if (found.messages.at(-1).unanswered) throw new ApiError(500, why(found.hops), "unanswered", found);
  seen.text(found.messages.at(-1).content);
  return true;
}

// Why a turn has no answer, as its last hop says.
export const why = (hops) => hops.at(-1)?.answer || "No answer.";

const passes = (error) =>
  error instanceof LostError ||
  (error instanceof ApiError && (["thread_busy", "shutting_down"].includes(error.code) || [502, 503].includes(error.status)));

const aborted = (signal) => new Promise((done) => signal.addEventListener("abort", done, { once: true }));
