"""The official Python client against a server whose base URL is the first argument."""

import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], max_retries=0)
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

likely = client.chat.completions.create(
    model=model, messages=question, max_tokens=2, logprobs=True, top_logprobs=3
)
assert len(likely.choices[0].logprobs.content[0].top_logprobs) == 3
texts = client.completions.create(model=model, prompt=["The sea", "A man"], max_tokens=4, echo=True, logprobs=2)
assert texts.choices[1].text.startswith("A man") and texts.choices[0].logprobs.token_logprobs

for wrong, error in [({"temperature": -1}, openai.BadRequestError), ({"presence_penalty": 1}, openai.BadRequestError)]:
    try:
        client.chat.completions.create(model=model, messages=question, **wrong)
        raise AssertionError("not refused: %s" % wrong)
    except error as refused:
        assert refused.param in wrong, refused
try:
    openai.OpenAI(base_url=sys.argv[1], api_key="wrong", max_retries=0).models.list()
    raise AssertionError("a wrong key was let through")
except openai.AuthenticationError:
    pass
print("openai (Python) " + openai.__version__ + ": all as expected")
