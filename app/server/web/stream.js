// Server-sent events of a POST, which EventSource cannot make.

import { ApiError, LostError, lost } from "./api.js";

const SILENCE = 60_000; // the server sends a comment every 15 seconds

// The data of each event, parsed. Throws LostError unless the end was announced.
export async function* serverSent(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await heard(reader);
      if (done) throw new LostError();
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return;
        yield checked(JSON.parse(data));
      }
    }
  } catch (error) {
    throw lost(error);
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function heard(reader) {
  let timer;
  const silence = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new LostError()), SILENCE);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}

function checked(event) {
  const { error } = event;
  if (error) throw new ApiError(500, error.message, error.code, error.octopus);
  return event;
}
