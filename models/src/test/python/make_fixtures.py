#!/usr/bin/env python3
"""Writes the tiny random models, with golden logits, that the tests of models and runtime read.

    python -m venv venv && venv/bin/pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0 gguf==0.19.0 numpy==2.4.6
    venv/bin/python models/src/test/python/make_fixtures.py          (from the checkout's root; some two minutes)

Each folder of runtime/src/test/resources/models gets a model and a golden.json: prompts, 16 greedy tokens and all logits of the first generated position, by
transformers in float32 on a CPU. Weights that a file holds in another type are rounded or quantised first, dequantised by gguf-py or torch, and only then run,
so the golden values are those of the file's exact weights. Everything is seeded; a run with the versions above gives the same files again.
"""

import json
import math
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from gguf.quants import dequantize, quantize
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

OUT = Path("runtime/src/test/resources/models")
STEPS = 16
MIN_MARGIN = 0.04  # prompts whose greedy tokens are closer calls are passed over
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PROMPTS = [
    "Once upon a time", "the cat sat on the mat", "In the end", "a man and his dog", "It was a dark night.", "3 + 4 = 7",
    "there is no other", "He said: here it is!", "one two three", "at the station", "Tea, honey and rain", "the theatre",
    "\u00e9t\u00e9 \u4f60\u597d \U0001f642", "another day in the sun", "heat on tin", "She tore it in ten",
]


# --- vocabularies ----------------------------------------------------------------------------------------------------------------------------------------------

MERGES = [
    ("\u0120", "t"), ("h", "e"), ("i", "n"), ("\u0120", "a"), ("r", "e"), ("\u0120t", "he"), ("o", "n"), ("a", "t"), ("\u0120", "s"), ("e", "r"),
    ("n", "d"), ("\u0120", "o"), ("i", "t"), ("\u0120", "h"), ("a", "n"), ("e", "n"), ("\u0120a", "nd"), ("o", "r"), ("\u0120", "w"), ("\u0120", "in"),
]  # fmt: skip
SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>"]


def byte_alphabet():
    """GPT-2's printable stand-in for each byte value."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    spare = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(spare)) for b in range(256)]


def byte_level_vocabulary():
    """256 bytes, 20 merges, 4 special tokens, padded to 288."""
    pieces = byte_alphabet() + [a + b for a, b in MERGES] + SPECIAL
    return pieces + [f"<|reserved_{i}|>" for i in range(288 - len(pieces))]


def byte_level_tokenizer():
    pieces = byte_level_vocabulary()
    ordinary = {p: i for i, p in enumerate(pieces[:276])}
    tokenizer = Tokenizer(models.BPE(vocab=ordinary, merges=MERGES, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(pieces[276:])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{SPECIAL[0]} $A", pair=f"{SPECIAL[0]} $A $B", special_tokens=[(SPECIAL[0], 276)]
    )
    return tokenizer


SPM_PIECES = [
    "\u2581", "e", "t", "a", "o", "i", "n", "s", "h", "r", "d", "\u2581t", "he", "in", "\u2581a", "re", "on", "\u2581the", "at", "er", "nd", "\u2581and", "it",
    "m", "u", "p", ".", "\u2581h", "\u2581s",
]  # fmt: skip


def spm_vocabulary():
    """<unk> <s> </s>, 256 byte tokens, then pieces whose scores rank the merges: tokens, scores, types."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + SPM_PIECES
    multi = [p for p in SPM_PIECES if len(p) > 1]
    scores = [0.0] * 259 + [-float(multi.index(p) + 1) if p in multi else -100.0 for p in SPM_PIECES]
    types = [2, 3, 3] + [6] * 256 + [1] * len(SPM_PIECES)
    return tokens, scores, types


def spm_encode(text):
    """SentencePiece's BPE spelled out: join the neighbours with the best score until none is left; what stays unknown becomes bytes."""
    tokens, scores, _ = spm_vocabulary()
    ids = {t: i for i, t in enumerate(tokens)}
    parts = list("\u2581" + text.replace(" ", "\u2581"))
    while True:
        known = [(scores[ids[a + b]], -i) for i, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in ids]
        if not known:
            break
        at = -max(known)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    out = [1]
    for part in parts:
        out += [ids[part]] if part in ids else [3 + b for b in part.encode()]
    return out


# --- golden values ---------------------------------------------------------------------------------------------------------------------------------------------


@torch.no_grad()
def greedy(model, ids, eos):
    """16 greedy tokens, the gap between the best two logits at each, and all logits of the first."""
    found, margins, first, past = [], [], None, None
    step = torch.tensor([ids])
    for _ in range(STEPS):
        result = model(input_ids=step, past_key_values=past, use_cache=True, logits_to_keep=1)
        past, logits = result.past_key_values, result.logits[0, -1].float()
        first = logits if first is None else first
        best = torch.topk(logits, 2)
        margins.append(round((best.values[0] - best.values[1]).item(), 5))
        found.append(best.indices[0].item())
        if found[-1] in eos:
            break
        step = torch.tensor([[found[-1]]])
    return found, margins, first


def case(model, ids, eos, **extra):
    found, margins, first = greedy(model, ids, eos)
    return {
        **extra,
        "greedy_ids": found,
        "min_margin": min(margins),
        "margins": margins,
        "first_logits": {str(i): round(v, 6) for i, v in enumerate(first.tolist())},
        "first_logit_max_abs": first.abs().max().item(),
    }


def write_golden(folder, model, encode, eos, cases=2, more=(), prompts=PROMPTS):
    chosen = []
    for prompt in prompts:
        ids = encode(prompt)
        candidate = case(model, ids, eos, prompt=prompt, prompt_ids=ids)
        if candidate["min_margin"] >= MIN_MARGIN:
            chosen.append(candidate)
        if len(chosen) == cases:
            break
    assert chosen, f"{folder}: every prompt has a close call"
    text = json.dumps(
        {
            "by": "transformers, float32, CPU, greedy, on the exactly dequantised weights",
            "model": folder.name,
            "max_new_tokens": STEPS,
            "eos_token_ids": sorted(eos),
            "cases": chosen + list(more),
        },
        ensure_ascii=False,
        indent=None,
        separators=(",", ":"),
    )
    (folder / "golden.json").write_text(text.replace('{"prompt', '\n{"prompt') + "\n")
    print(f"{folder.name}: {len(chosen) + len(more)} cases, margins from {min(c['min_margin'] for c in chosen)}")


# --- random models ---------------------------------------------------------------------------------------------------------------------------------------------


def randomise(model, seed, gain=1.0):
    """Weights large enough for logits of a few units; norms near 1, biases not 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() == 2:
                p.copy_(noise * gain * (0.5 if "embed" in name else 1.2 / math.sqrt(p.shape[1])))
            elif name.endswith("bias"):
                p.copy_(noise * 0.3)
            else:
                p.copy_(1 + 0.2 * noise)
    return model.float().eval()


def rounded(model, types):
    """Rounds each parameter to the type it is stored in (types: name -> torch dtype) and returns the state to store."""
    state = {}
    with torch.no_grad():
        for name, p in model.named_parameters():
            stored = p.detach().to(types(name)).contiguous()
            state[name] = stored
            p.copy_(stored.float())
    return state


def new_folder(name):
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def as_version_4(config):
    """transformers 4 wrote rope_theta and rope_scaling beside each other, and torch_dtype."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope.get("rope_type", "default") == "default" else rope
    config["torch_dtype"] = config.pop("dtype", "float32")
    return config


def write_hugging_face(name, model, types, old_spelling=False, shards=1, more=(), eos=(277, 279)):
    folder = new_folder(name)
    state = rounded(model, types)
    model.config.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = [type(model).__name__]
    config.update(bos_token_id=276, eos_token_id=277)
    if old_spelling:
        config = as_version_4(config)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "generation_config.json").write_text(json.dumps({"bos_token_id": 276, "eos_token_id": list(eos)}) + "\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIAL[0], "eos_token": SPECIAL[1]}) + "\n"
    )
    tokenizer = byte_level_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    if shards == 1:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        names, weight_map = list(state), {}
        for s in range(shards):
            part = names[len(names) * s // shards : len(names) * (s + 1) // shards]
            file = f"model-{s + 1:05d}-of-{shards:05d}.safetensors"
            save_file({n: state[n] for n in part}, folder / file, metadata={"format": "pt"})
            weight_map.update({n: file for n in part})
        size = sum(t.numel() * t.element_size() for t in state.values())
        (folder / "model.safetensors.index.json").write_text(
            json.dumps({"metadata": {"total_size": size}, "weight_map": weight_map}, indent=1) + "\n"
        )
    write_golden(folder, model, lambda text: tokenizer.encode(text).ids, set(eos), more=more)


SMALL = dict(
    vocab_size=288, hidden_size=64, intermediate_size=112, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    bos_token_id=276, eos_token_id=277, attn_implementation="eager",
)  # fmt: skip


def mistral():
    config = MistralConfig(**SMALL, head_dim=24, max_position_embeddings=512, sliding_window=64, rms_norm_eps=1e-5)
    write_hugging_face("mistral", randomise(MistralForCausalLM(config), 1), lambda _: torch.float32, old_spelling=True)


def qwen2():
    config = Qwen2Config(**SMALL, tie_word_embeddings=True, max_position_embeddings=256, rope_parameters={"rope_type": "default", "rope_theta": 1e6})
    write_hugging_face("qwen2", randomise(Qwen2ForCausalLM(config), 2), lambda _: torch.float16, old_spelling=True)


def qwen3():
    config = Qwen3Config(**SMALL, head_dim=32, tie_word_embeddings=True, max_position_embeddings=256)
    write_hugging_face("qwen3", randomise(Qwen3ForCausalLM(config), 3), lambda _: torch.bfloat16)


def llama_attention_bias():
    config = LlamaConfig(**SMALL, attention_bias=True, max_position_embeddings=256)
    write_hugging_face("llama-attention-bias", randomise(LlamaForCausalLM(config), 4), lambda _: torch.float32)


def llama_sharded():
    """Three types and three files in one model; a head of its own."""

    def types(name):
        return torch.float16 if "mlp" in name or "lm_head" in name else torch.float32 if "norm" in name else torch.bfloat16

    config = LlamaConfig(**SMALL, tie_word_embeddings=False, max_position_embeddings=256)
    write_hugging_face("llama-sharded", randomise(LlamaForCausalLM(config), 5), types, shards=3)


LLAMA3_ROPE = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip
LONG_PROMPT = 8300


def llama3_model(rope):
    # one layer of two heads: the prompt is long
    shape = SMALL | dict(attn_implementation="sdpa", num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1)
    config = LlamaConfig(**shape, head_dim=16, tie_word_embeddings=True, max_position_embeddings=131072, rope_parameters=dict(rope))
    model = randomise(LlamaForCausalLM(config), 6)
    with torch.no_grad():  # sharper attention: far positions count
        for layer in model.model.layers:
            layer.self_attn.q_proj.weight.mul_(2)
            layer.self_attn.k_proj.weight.mul_(2)
    return model


def long_case(model, eos):
    ids = [(37 * i + 11 * (i // 50)) % 256 for i in range(LONG_PROMPT)]
    return case(model, ids, eos, prompt_rule="id[i] = (37 * i + 11 * floor(i / 50)) mod 256", prompt_count=LONG_PROMPT)


def llama3():
    model = llama3_model(LLAMA3_ROPE)
    golden = long_case(model, {277, 279})
    plain = long_case(llama3_model({"rope_type": "default", "rope_theta": 500000.0}), {277, 279})
    apart = max(abs(golden["first_logits"][i] - plain["first_logits"][i]) for i in plain["first_logits"])
    assert apart > 0.05 * golden["first_logit_max_abs"], f"the scaling must show: {apart}"
    print(f"llama3: long case min margin {golden['min_margin']}, scaling changes logits by {apart:.2f}")
    write_hugging_face("llama3", model, lambda _: torch.float32, more=[golden])


# --- GGUF ------------------------------------------------------------------------------------------------------------------------------------------------------

GGUF_NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}  # fmt: skip


def gguf_name(name):
    stem, part = name.rsplit(".", 1)
    if stem.startswith("model.layers."):
        _, _, layer, rest = stem.split(".", 3)
        return f"blk.{layer}.{GGUF_NAMES[rest]}.{part}"
    return f"{GGUF_NAMES[stem]}.{part}"


def permute(w, heads):
    """llama.cpp's row order for Q and K of the Llama family: (head, half, i) -> (head, i, half)."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def unpermute(w, heads):
    return w.reshape(heads, w.shape[0] // heads // 2, 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def random_blocks(shape, kind, rng):
    """K-quants have no quantiser in gguf-py: any bits are valid weights once the scales are of a sensible size."""
    blocks = shape[0] * shape[1] // 256
    spread = rng.uniform(0.5, 1.5, (blocks, 1))
    if kind == Q.Q4_K:
        d = (2.5e-4 * spread).astype(np.float16)
        minimum = (7.5 * 2.5e-4 * spread).astype(np.float16)
        parts = [d.view(np.uint8), minimum.view(np.uint8), rng.integers(0, 256, (blocks, 12 + 128), dtype=np.uint8)]
    else:
        d = (1.6e-4 * spread).astype(np.float16)
        scales = rng.integers(-32, 33, (blocks, 16)).astype(np.int8)
        parts = [rng.integers(0, 256, (blocks, 128 + 64), dtype=np.uint8), scales.view(np.uint8), d.view(np.uint8)]
    return np.concatenate(parts, axis=1).reshape(shape[0], -1)


def add_vocabulary(writer, kind):
    if kind == "spm":
        tokens, scores, types = spm_vocabulary()
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(tokens)
        writer.add_token_scores(scores)
        writer.add_token_types(types)
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
        writer.add_unk_token_id(0)
        writer.add_add_bos_token(True)
        writer.add_add_space_prefix(True)
        return spm_encode, {2}
    pieces = byte_level_vocabulary()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(pieces)
    writer.add_token_types([1] * 276 + [3] * 4 + [5] * (len(pieces) - 280))
    writer.add_token_merges([f"{a} {b}" for a, b in MERGES])
    writer.add_bos_token_id(276)
    writer.add_eos_token_id(277)
    writer.add_eot_token_id(279)
    writer.add_add_bos_token(True)
    tokenizer = byte_level_tokenizer()
    return lambda text: tokenizer.encode(text).ids, {277, 279}


def write_gguf(name, arch, model, kind, vocabulary, seed=0, rope_freqs=None):
    """Quantises every matrix to one type, writes the file, then runs transformers on what gguf-py reads back from those bits."""
    folder = new_folder(name)
    config = model.config
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer = gguf.GGUFWriter(str(folder / "model.gguf"), arch)
    writer.add_name(name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    if head_dim * config.num_attention_heads != config.hidden_size:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if arch == "llama":
        writer.add_vocab_size(config.vocab_size)
        writer.add_rope_dimension_count(head_dim)
    encode, eos = add_vocabulary(writer, vocabulary)
    rng = np.random.default_rng(seed)
    if rope_freqs is not None:
        writer.add_tensor("rope_freqs.weight", np.array(rope_freqs, dtype=np.float32))
    with torch.no_grad():
        for tensor, p in model.named_parameters():
            heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(tensor.split(".")[-2])
            permuted = arch == "llama" and heads is not None
            values = p.detach().numpy()
            values = permute(values, heads) if permuted else values
            if p.dim() == 1 or kind == Q.F32:
                stored, exact = np.ascontiguousarray(values, dtype=np.float32), values
                writer.add_tensor(gguf_name(tensor), stored)
            else:
                blocks = random_blocks(values.shape, kind, rng) if kind in (Q.Q4_K, Q.Q6_K) else quantize(values, kind)
                exact = dequantize(blocks, kind).reshape(values.shape)
                writer.add_tensor(gguf_name(tensor), blocks, raw_dtype=kind)
            exact = unpermute(exact, heads) if permuted else exact
            p.copy_(torch.from_numpy(np.array(exact, dtype=np.float32)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    write_golden(folder, model, encode, eos)


def tiny_llama(seed, tied):
    return randomise(LlamaForCausalLM(LlamaConfig(**SMALL | {"intermediate_size": 96}, tie_word_embeddings=tied, max_position_embeddings=256)), seed)


def wide_llama(seed):
    """K-quants pack 256 columns to a block: all of hidden, intermediate and query width are multiples of it."""
    wide = SMALL | dict(hidden_size=256, intermediate_size=256, num_hidden_layers=1, num_attention_heads=8, num_key_value_heads=2)
    return randomise(LlamaForCausalLM(LlamaConfig(**wide, tie_word_embeddings=True, max_position_embeddings=256)), seed)


def llama3_rope_divisors(head_dim):
    """As llama.cpp's converter writes them."""
    r = LLAMA3_ROPE
    low = r["original_max_position_embeddings"] / r["low_freq_factor"]
    high = r["original_max_position_embeddings"] / r["high_freq_factor"]
    divisors = []
    for i in range(0, head_dim, 2):
        wavelength = 2 * math.pi * r["rope_theta"] ** (i / head_dim)
        if wavelength < high:
            divisors.append(1.0)
        elif wavelength > low:
            divisors.append(r["factor"])
        else:
            smooth = (r["original_max_position_embeddings"] / wavelength - r["low_freq_factor"]) / (r["high_freq_factor"] - r["low_freq_factor"])
            divisors.append(1 / ((1 - smooth) / r["factor"] + smooth))
    return divisors


def all_gguf():
    write_gguf("gguf-f32", "llama", tiny_llama(10, True), Q.F32, "spm")
    write_gguf("gguf-f16", "llama", tiny_llama(11, False), Q.F16, "bpe")
    write_gguf("gguf-bf16", "llama", tiny_llama(12, True), Q.BF16, "spm")
    write_gguf("gguf-q8_0", "llama", tiny_llama(13, False), Q.Q8_0, "bpe")
    write_gguf("gguf-q4_0", "llama", tiny_llama(14, True), Q.Q4_0, "spm")
    write_gguf("gguf-q4_1", "llama", tiny_llama(15, False), Q.Q4_1, "bpe")
    write_gguf("gguf-q4_k", "llama", wide_llama(16), Q.Q4_K, "spm", seed=16)
    write_gguf("gguf-q6_k", "llama", wide_llama(17), Q.Q6_K, "bpe", seed=17)
    qwen2_config = Qwen2Config(**SMALL | {"intermediate_size": 96}, tie_word_embeddings=True, max_position_embeddings=256)
    write_gguf("gguf-qwen2", "qwen2", randomise(Qwen2ForCausalLM(qwen2_config), 18), Q.Q8_0, "bpe")
    qwen3_config = Qwen3Config(**SMALL | {"intermediate_size": 96}, head_dim=32, tie_word_embeddings=True, max_position_embeddings=256)
    write_gguf("gguf-qwen3", "qwen3", randomise(Qwen3ForCausalLM(qwen3_config), 19), Q.F16, "bpe")
    write_gguf("gguf-llama3", "llama", llama3_model(LLAMA3_ROPE), Q.F16, "bpe", rope_freqs=llama3_rope_divisors(16))


if __name__ == "__main__":
    torch.set_num_threads(2)
    for make in (mistral, qwen2, qwen3, llama_attention_bias, llama_sharded, llama3, all_gguf):
        make()
