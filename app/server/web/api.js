// Requests to the server, with the key if it wants one.

import { askForKey, storedKey } from "./key.js";

export class ApiError extends Error {
  // `octopus` says how far the question went, where the turn is over and nobody answered.
  constructor(status, message, code, octopus) {
    super(message);
    this.status = status;
    this.code = code;
    this.octopus = octopus;
  }
}

// The server cannot be reached, or went away in the middle.
export class LostError extends Error {
  constructor() {
    super("The connection to the server is lost.");
  }
}

// The response; throws ApiError for a refusal, LostError without a server, AbortError when `signal` says so.
export async function request(path, { method, body, thread, signal } = {}) {
  for (;;) {
    const key = storedKey();
    const response = await reached(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(key ? { Authorization: `Bearer ${key}` } : {}),
        ...(thread ? { "X-Octopus-Thread": thread } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    if (response.ok) return response;
    const error = await refusal(response);
    if (response.status !== 401 || !(await askForKey(key, error.message))) throw error;
  }
}

export async function json(path, options) {
  const response = await request(path, options);
  try {
    return response.status === 204 ? null : await response.json();
  } catch (error) {
    throw lost(error);
  }
}

// A LostError for what fetch throws when the connection breaks.
export function lost(error) {
  return error instanceof TypeError ? new LostError() : error;
}

async function reached(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    throw lost(error);
  }
}

async function refusal(response) {
  const found = await response.json().catch(() => ({}));
  const { message, code, octopus } = found.error ?? {};
  return new ApiError(response.status, message ?? `The server answered ${response.status}.`, code, octopus);
}
