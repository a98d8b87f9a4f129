// OpenAI's JavaScript client against a server: client.mjs ADDRESS KEY.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');
const { default: OpenAI } = require('openai');
const { version } = JSON.parse(readFileSync('node_modules/openai/package.json'));
const [address, apiKey] = process.argv.slice(2);
const baseURL = address + '/v1';
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = (await client.models.list()).data[0].id;
const messages = [{ role: 'user', content: 'What is the capital of France?' }];

const answer = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 20 });
const text = answer.choices[0].message.content;
assert.ok(text);

let streamed = '';
for await (const chunk of await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 20, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? '';
}
assert.equal(streamed, text);

const schema = { type: 'object', properties: { city: { type: 'string', maxLength: 20 } }, required: ['city'], additionalProperties: false };
const tools = [{ type: 'function', function: { name: 'get_weather', parameters: schema } }];
const called = await client.chat.completions.stream({ model, messages, tools, tool_choice: 'required' }).finalMessage();
assert.ok('city' in JSON.parse(called.tool_calls[0].function.arguments));

const response_format = { type: 'json_schema', json_schema: { name: 'city', schema } };
const json = await client.chat.completions.create({ model, messages, response_format });
assert.ok('city' in JSON.parse(json.choices[0].message.content));

const stop = [text.slice(8, 14)];
const stopped = await client.chat.completions.create({ model, messages, temperature: 0, stop });
assert.equal(stopped.choices[0].message.content, text.slice(0, 8));

const likely = await client.chat.completions.create({ model, messages, max_tokens: 2, logprobs: true, top_logprobs: 3 });
assert.equal(likely.choices[0].logprobs.content[0].top_logprobs.length, 3);
const echo = await client.completions.create({ model, prompt: 'The sea', echo: true, max_tokens: 1, logprobs: 1 });
assert.ok(echo.choices[0].text.startsWith('The sea'));

await assert.rejects(client.chat.completions.create({ model, messages, top_p: 7 }), { status: 400, param: 'top_p' });
await assert.rejects(new OpenAI({ baseURL, apiKey: 'wrong', maxRetries: 0 }).models.list(), { status: 401 });

// Who stops reading stops the text.
for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) { assert.ok(chunk.id); break; }
console.log("OpenAI's JavaScript client " + version + ': all as expected');
