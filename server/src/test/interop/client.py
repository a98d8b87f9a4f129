"""OpenAI's Python client against a server: client.py ADDRESS KEY."""

import json
import sys
import time
import urllib.request

import openai

address, key = sys.argv[1:]
client = openai.OpenAI(base_url=address + "/v1", api_key=key, max_retries=0)
model = client.models.list().data[0].id
question = [{"role": "user", "content": "What is the capital of France?"}]

answer = client.chat.completions.create(model=model, messages=question, temperature=0, max_tokens=20)
text = answer.choices[0].message.content
assert text and answer.usage.completion_tokens > 0, answer

stream = client.chat.completions.create(
    model=model, messages=question, temperature=0, max_tokens=20, stream=True, stream_options={"include_usage": True}
)
chunks = list(stream)
assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
assert chunks[-1].usage.completion_tokens == answer.usage.completion_tokens

tool = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
called = client.chat.completions.create(model=model, messages=question, tools=[tool], tool_choice="required")
assert called.choices[0].message.tool_calls[0].function.name == "get_weather", called
with client.chat.completions.stream(model=model, messages=question, tools=[tool], tool_choice="required") as events:
    for event in events:
        pass
    assert events.get_final_completion().choices[0].message.tool_calls, "no call in the stream"

person = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 150}}, "required": ["age"]}
answer = client.chat.completions.create(
    model=model,
    messages=question,
    response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": person}},
)
assert 0 <= json.loads(answer.choices[0].message.content)["age"] <= 150, answer

stopped = client.chat.completions.create(model=model, messages=question, temperature=0, stop=[text[8:14]])
assert stopped.choices[0].message.content == text[:8] and stopped.choices[0].finish_reason == "stop", stopped
varied = client.chat.completions.create(
    model=model, messages=question, n=2, max_tokens=8, seed=1, presence_penalty=1, frequency_penalty=0.5
)
assert len(varied.choices) == 2, varied

likely = client.chat.completions.create(
    model=model, messages=question, max_tokens=2, logprobs=True, top_logprobs=3
)
assert len(likely.choices[0].logprobs.content[0].top_logprobs) == 3
texts = client.completions.create(model=model, prompt=["The sea", "A man"], max_tokens=4, echo=True, logprobs=2)
assert texts.choices[1].text.startswith("A man") and texts.choices[0].logprobs.token_logprobs

for wrong, error in [({"temperature": -1}, openai.BadRequestError), ({"presence_penalty": 3}, openai.BadRequestError)]:
    try:
        client.chat.completions.create(model=model, messages=question, **wrong)
        raise AssertionError("not refused: %s" % wrong)
    except error as refused:
        assert refused.param in wrong, refused
try:
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "word " * 3000}])
    raise AssertionError("a prompt longer than the context was let through")
except openai.BadRequestError as refused:
    assert refused.code == "context_length_exceeded", refused
try:
    openai.OpenAI(base_url=address + "/v1", api_key="wrong", max_retries=0).models.list()
    raise AssertionError("a wrong key was let through")
except openai.AuthenticationError:
    pass


def metric(name):
    request = urllib.request.Request(address + "/metrics", headers={"X-Api-Key": key})
    with urllib.request.urlopen(request) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith("obr_" + name + " ")).split()[1])


# Who leaves in mid-stream frees the place: one write tells the server, the next fails.
stream = client.chat.completions.create(model=model, messages=question, stream=True)
for _, chunk in zip(range(5), stream):
    pass
stream.close()
before = metric("tokens_predicted_total")
while metric("requests_processing") > 0:
    time.sleep(0.01)
assert metric("tokens_predicted_total") - before <= 4, "a text went on after its reader had left"
print("OpenAI's Python client " + openai.__version__ + ": all as expected")
