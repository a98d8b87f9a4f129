"""Writes the files of src/test/resources/torch with torch.save: run it there, with torch 2.15.0."""
import json
import os

import torch


def numbers(*shape):
    """1/8, 2/8, ..: exact in every float type."""
    return (torch.arange(torch.Size(shape).numel()) + 1).reshape(shape) / 8


class Module(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        with torch.no_grad():
            self.linear.weight.copy_(numbers(2, 3))
            self.linear.bias.copy_(numbers(2))
        self.register_buffer("f16", numbers(2, 3).half())
        self.register_buffer("bf16", numbers(2, 3).bfloat16())
        self.register_buffer("transposed", numbers(3, 2).half().t())
        self.register_buffer("view", numbers(4, 3).half()[1:3])
        self.register_buffer("alias", self.view)
        self.register_buffer("i64", torch.tensor(7))
        self.register_buffer("f64", numbers(2).double())
        self.register_buffer("flags", torch.tensor([True, False]))
        self.register_buffer("empty", torch.zeros(0))


class Call:
    def __reduce__(self):
        return os.system, ("echo called",)


torch.save(Module().state_dict(), "state_dict.bin")
torch.save({"p": torch.nn.Parameter(numbers(2, 2).half()), "x": numbers(3)}, "parameters.bin")
torch.save({"a": numbers(2)}, "legacy.bin", _use_new_zipfile_serialization=False)
torch.save({"a": Call()}, "system.bin")
torch.save({"a": numbers(2), "b": Module()}, "module.bin")
torch.save([numbers(2)], "list.bin")
torch.save({"a": numbers(2), "n": 3}, "number.bin")
torch.save({"a": numbers(2)}, "protocol4.bin", pickle_protocol=4)

os.makedirs("shards", exist_ok=True)
torch.save({"a": numbers(2).half()}, "shards/pytorch_model-00001-of-00002.bin")
torch.save({"b": numbers(3).bfloat16()}, "shards/pytorch_model-00002-of-00002.bin")
with open("shards/pytorch_model.bin.index.json", "w") as index:
    json.dump({"weight_map": {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}}, index)
