// The usual examples of the AI SDK: `@ai-sdk/openai-compatible` for chat completions, `@ai-sdk/openai` for responses.
// Names come as lines, results go as lines of JSON, as in loop.py.

import readline from "node:readline";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError, Output, RetryError, ToolLoopAgent, generateObject, generateText, stepCountIs, streamObject,
  streamText, tool,
} from "ai";
import { z } from "zod";

const [baseURL, apiKey] = [process.env.BASE_URL, process.env.API_KEY];
const BREAD = "How do I bake bread?";
const MORE = "And without yeast?";
const SYSTEM = "Answer like a baker.";
const SHOPPING = "What does bread cost, and how is the weather in Rome?";

const octopus = createOpenAICompatible({
  name: "octopus", baseURL, apiKey, includeUsage: true, supportsStructuredOutputs: true,
});
const openai = createOpenAI({ baseURL, apiKey });
const model = octopus("house");
const recipe = z.object({ name: z.string(), minutes: z.number() });
const tools = {
  price: tool({
    description: "Get the price of something, in euros.",
    inputSchema: z.object({ of: z.string() }),
    execute: async ({ of }) => ({ bread: "5", rice: "3" })[of],
  }),
  weather: tool({
    description: "Get the weather of a place.",
    inputSchema: z.object({ place: z.string() }),
    execute: async ({ place }) => ({ Rome: "sunny" })[place],
  }),
};

const asked = (more = {}) => generateText({ model, prompt: BREAD, maxRetries: 0, ...more });
const calls = (steps) => steps.flatMap((step) => step.toolCalls.map((call) => [call.toolName, call.input]));

async function pieces(given) {
  const texts = [];
  const result = streamText({ model, prompt: BREAD, maxRetries: 0, onError: () => {}, ...given });
  for await (const text of result.textStream) texts.push(text);
  return { pieces: texts.length, text: texts.join(""), tokens: (await result.totalUsage).totalTokens };
}

async function looped(given) {
  const done = await generateText({ prompt: SHOPPING, tools, stopWhen: stepCountIs(5), maxRetries: 0, ...given });
  return { text: done.text, calls: calls(done.steps) };
}

async function loopedStream(given) {
  const result = streamText({ prompt: SHOPPING, tools, stopWhen: stepCountIs(5), maxRetries: 0, ...given });
  await result.consumeStream();
  return { text: await result.text, calls: calls(await result.steps) };
}

async function turns() {
  const first = await asked({ prompt: undefined, messages: [{ role: "user", content: BREAD }] });
  const messages = [{ role: "user", content: BREAD }, ...first.response.messages, { role: "user", content: MORE }];
  return (await asked({ prompt: undefined, messages })).text;
}

async function parameters() {
  const done = await asked({
    temperature: 0.5, topP: 0.9, maxOutputTokens: 2, seed: 7, stopSequences: ["END"], presencePenalty: 0.5,
  });
  return { text: done.text, finish: done.finishReason };
}

async function schemaStream() {
  const result = streamObject({ model, schema: recipe, prompt: BREAD, maxRetries: 0 });
  for await (const _ of result.partialObjectStream);
  return result.object;
}

async function forced() {
  const done = await asked({ tools: { price: { ...tools.price, execute: undefined }, weather: tools.weather },
    toolChoice: { type: "tool", toolName: "price" } });
  return { finish: done.finishReason.replace("-", "_"), calls: calls(done.steps) };
}

async function agent() {
  const made = new ToolLoopAgent({ model, instructions: SYSTEM, tools });
  const done = await made.generate({ prompt: SHOPPING });
  return { text: done.text, calls: calls(done.steps) };
}

async function responsesTurns() {
  const first = await asked({ model: openai("house"), providerOptions: { openai: { instructions: SYSTEM } } });
  const previousResponseId = first.providerMetadata.openai.responseId;
  const given = { openai: { previousResponseId, instructions: "Be brief." } };
  return (await asked({ model: openai("house"), prompt: MORE, providerOptions: given })).text;
}

const failing = (ask) => async () => {
  try {
    await ask();
  } catch (error) {
    if (error.name === "AbortError" || error.name === "TimeoutError") return "timeout";
    const found = RetryError.isInstance(error) ? error.lastError : error;
    if (!APICallError.isInstance(found)) throw error;
    const told = found.data?.error ?? {};
    return { status: found.statusCode, code: told.code, param: told.param };
  }
  return "nothing was refused";
};

async function brokenStream() {
  let found;
  const result = streamText({ model, prompt: BREAD, maxRetries: 0, onError: ({ error }) => { found = error; } });
  await result.consumeStream({ onError: () => {} });
  const told = found?.data?.error ?? found?.error ?? found;
  return { code: told?.code, said: String(found) };
}

const wrong = createOpenAICompatible({ name: "octopus", baseURL, apiKey: "wrong" });
const examples = {
  plain: async () => (await asked()).text,
  system: async () => (await asked({ system: SYSTEM })).text,
  turns,
  stream: () => pieces({}),
  parameters,
  thinking: async () => {
    const done = await asked();
    return { text: done.text, thinking: done.reasoningText };
  },
  json: async () => (await generateObject({ model, output: "no-schema", prompt: BREAD, maxRetries: 0 })).object,
  schema: async () => (await asked({ output: Output.object({ schema: recipe }) })).output,
  schema_stream: schemaStream,
  tools: () => looped({ model }),
  tools_stream: () => loopedStream({ model }),
  forced,
  agent,
  agent_stream: () => loopedStream({ model, system: SYSTEM }),
  responses: async () => (await asked({ model: openai("house") })).text,
  responses_turns: responsesTurns,
  responses_stream: () => pieces({ model: openai("house") }),
  responses_schema: async () => (await asked({ model: openai("house"), output: Output.object({ schema: recipe }) })).output,
  responses_tools: () => looped({ model: openai("house") }),
  responses_tools_kept: () => looped({ model: openai("house"), providerOptions: { openai: { store: false } } }),
  unauthorized: failing(() => asked({ model: wrong("house") })),
  unknown_model: failing(() => asked({ model: octopus("none") })),
  out_of_range: failing(() => asked({ temperature: 99 })),
  retried: async () => (await asked({ maxRetries: 2 })).text,
  overloaded: failing(() => asked()),
  filtered: failing(() => asked()),
  broken_stream: brokenStream,
  given_up: failing(() => asked({ abortSignal: AbortSignal.timeout(1500) })),
};

globalThis.AI_SDK_LOG_WARNINGS = false;
console.log(JSON.stringify(Object.keys(examples)));
for await (const line of readline.createInterface({ input: process.stdin })) {
  let told;
  try {
    told = { result: (await examples[line.trim()]()) ?? null };
  } catch (error) {
    told = { failed: `${error.stack}\n${error.responseBody ?? ""}` };
  }
  console.log(JSON.stringify(told));
}
