"""Writes src/test/resources/chat/golden.json: what Jinja makes of the chat templates beside it, in the settings that transformers uses.

    python make_chat_fixtures.py        # needs: pip install jinja2
"""

import json
import pathlib

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

CHAT = pathlib.Path(__file__).parents[1] / "resources" / "chat"


def user(content):
    return {"role": "user", "content": content}


def assistant(content):
    return {"role": "assistant", "content": content}


def system(content):
    return {"role": "system", "content": content}


CONVERSATIONS = [
    [user("Hello")],
    [system("Be brief."), user("  Hi there \n")],
    [user("Name three fruits."), assistant(" Apple, banana. "), user("Which is yellow?")],
    [system("You are a pirate.\nAlways."), user("Hi"), assistant("Arr!"), user("Bye é 你 🙂"), assistant("<think>\nHm.\n</think>\n\nFarewell."), user("One more?")],
]
# bos and eos as the models have them; templates not named here use neither
TOKENS = {"llama-3": ("<|begin_of_text|>", "<|eot_id|>")}
SYSTEM_IS_AN_ERROR = ["mistral-v0.1", "mistral-v0.2"]


def render(name, template, messages):
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)

    def raise_exception(message):
        raise TemplateError(message)

    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda pattern: {"%d %b %Y": "05 Mar 2026"}[pattern]
    bos, eos = TOKENS.get(name.split(".")[0], ("<s>", "</s>"))
    return environment.from_string(template).render(
        messages=messages, tools=None, add_generation_prompt=True, bos_token=bos, eos_token=eos
    )


golden = []
for file in sorted(CHAT.glob("*.jinja")):
    # A file ends with a line end that the published template, a JSON string, does not have.
    template = file.read_text().removesuffix("\n")
    for messages in CONVERSATIONS:
        if not (file.stem in SYSTEM_IS_AN_ERROR and messages[0]["role"] == "system"):
            golden.append({"template": file.stem, "messages": messages, "prompt": render(file.stem, template, messages)})
lines = ",\n".join(json.dumps(case) for case in golden)
(CHAT / "golden.json").write_text(f"[\n{lines}\n]\n")
