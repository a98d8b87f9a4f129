"""Writes src/test/resources/tokenizers: small vocabularies of every kind that GGUF files hold, and what independent tokenizers make of difficult texts.

    python make_tokenizer_fixtures.py CORPUS.txt [LLAMA_TOKENIZE]

Truth: the tokenizers library with the published split expressions for byte-level BPE, the sentencepiece library for SentencePiece-BPE. Where LLAMA_TOKENIZE names llama.cpp's
program, every case is also compared with it (differences are printed), and SentencePiece texts with special tokens inside, which the sentencepiece library has no notion of, are
recorded from it. Needs: pip install tokenizers sentencepiece gguf numpy.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

import gguf
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).parents[1] / "resources" / "tokenizers"
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def split(*expressions):
    steps = [pre_tokenizers.Split(Regex(e), "isolated") for e in expressions]
    return pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


RULES = {
    "llama-bpe": split(LLAMA3),
    "qwen2": split(QWEN2),
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    "smollm": pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "default": split(r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"),
}

FIXED = [
    "a", " ", "  ", "   ", " a", "  a", "a ", "a  ", "a  b", "a   b", "Hello, world!", "\n", "\n\n", "a\n\nb", "a \n b", "a\r\nb", "\r", "\t", "\ta", "a\t\tb", " \n", "\n ",
    " \n \n ", "a\n\n\n  b", "a  \r\n  b", "...\n\nx", "!\r\n\r\n!", " ?!", "  ?!", "I'll we've they're I'm he's don't she'd", "I'LL WE'VE THEY'RE I'M HE'S DON'T SHE'D",
    "I'Ll we'vE 'rE", "'ſ I'ſo 'ſt", "'", "''", "'s", " 's", "'sx", "x'", "'l", "'v", "'r", "l'été d'Août", "1", "12", "123", "1234", "12345678901", " 1234", "  1 2  34",
    "x=3.14159e-10", "1,234,567.89", "٣٤٥ ३४५", "½ Ⅷ ² ①②③④", "1½2", "a1b22c333d4444", "v1.2.3-rc4", "2024-07-01T12:34:56Z", "Ünïcödé naïve café", "e\u0301te\u0301 n\u0303",
    "\u0301a", " \u0301", "क्षत्रिय", "東京タワー 北京", "日本語。中文，", "가나다라", "ไทยภาษา", "مرحبا بالعالم", "שלום", "Привет, мир!", "ΑΒΓ αβγ", "İstanbul ıI", "🙂", "🙂🙂 🙂", " 🙂",
    "👩\u200d👩\u200d👧\u200d👦🇫🇷", "👍🏽", "❤\ufe0f", "a\u00a0b", "\u00a0", "\u00a0\u00a0a", " \u00a0 a", "\u2003em", "a\u3000b", "a\u2028b\u2029c", "a\u0085b", "\u1680x", "a\u200bb",
    "\u180ea", "\ufeffbom", "a\u001cb\u001fc", "\u0000\u0001ctrl\u007f", "\u000b\u000c", "$100 + £200 = €300", "a+b<=c>=d^e~f|g`h", "C:\\path\\to\\file.txt", "https://example.com/a?b=c&d=e#f",
    "if (x<0) { return -1; } // comment", "    def f(self):\n        return None\n", "<div class=\"a\">text</div>", "__init__", "snake_case camelCase UPPER", "a_b", "#hashtag @user", "“quoted” ‘text’—dash…",
    "(parens)[brackets]{braces}", "---", "***bold***", "100%", "a" * 40, "ab" * 30, "!" * 40, " " * 40, "\n" * 20, "0" * 40, "▁", "a▁b", "▁▁a", "<0x41>", "Ġ", "Ċ", "\ufffd", "\U0001f9ff\U000e0041", "𝒜𝓑 𝟙𝟚",
    "ﬁ ﬂ ﬆ", "ǅ ǈ", "ʰ ˈ", "a\tb\n c\r\n  d", "unreachable", " unreachable", "end\n", "end \n", "end\n ",
]
SPECIAL = [
    "<|eot|>", "<|begin|>", "a<|eot|>b", "a <|eot|> b", "<|eot|><|eot|>", "<|begin|>Hello<|eot|>\n", " <|eot|>", "<|eot|> ", "<tool>", "a<tool>b", "<tool>x", "<tool>xy", "<too l>", "<<tool>>",
    "<|eot|", "|eot|>", "<|begin|><tool>x<|eot|>", "日<|eot|>本", "12<tool>34",
]


def random_texts(count):
    rng = random.Random(7)
    parts = (
        list("abcdefgxyzABCXYZ0123456789 \t\n\r'.,!?-_$+<=>^~|\"()ſéß½Ⅷ٣東京가🙂\u0301\u00a0\u3000\u0085\u200d▁")
        + [" the", "ing", "'s", "'LL", "  ", "\r\n", " 12", "🙂", "مر", "'re"]
    )
    return ["".join(rng.choice(parts) for _ in range(rng.randint(1, 24))) for _ in range(count)]


def byte_level(name, corpus, plain, special):
    """Trains a vocabulary under the rule and encodes the texts with it."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainee = Tokenizer(models.BPE())
    trainee.pre_tokenizer = RULES[name]
    trainee.train_from_iterator(
        corpus, trainers.BpeTrainer(vocab_size=620, initial_alphabet=sorted(alphabet), show_progress=False)
    )
    model = json.loads(trainee.to_str())["model"]
    vocabulary = dict(model["vocab"])
    merges = [tuple(m) for m in model["merges"]]
    vocabulary["Ġunreachable"] = len(vocabulary)  # no merge makes it: only a rule that keeps whole words uses it
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=name == "llama-bpe"))
    tokenizer.pre_tokenizer = RULES[name]
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in ("<|begin|>", "<|eot|>")])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in ("<tool>", "<tool>x")])
    size = tokenizer.get_vocab_size()
    tokens = [tokenizer.id_to_token(i) for i in range(size)]
    types = [CONTROL if t in ("<|begin|>", "<|eot|>") else USER_DEFINED if t.startswith("<tool") else NORMAL for t in tokens]
    metadata = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": name,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": [" ".join(m) for m in merges],
        "tokenizer.ggml.bos_token_id": tokens.index("<|begin|>"),
        "tokenizer.ggml.eos_token_id": tokens.index("<|eot|>"),
        "tokenizer.ggml.add_bos_token": False,
    }
    return metadata, [tokenizer.encode(t, add_special_tokens=False).ids for t in plain + special]


def sentence_piece(corpus, prefix):
    with tempfile.TemporaryDirectory() as folder:
        text = pathlib.Path(folder, "corpus.txt")
        text.write_text("\n".join(corpus))
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=f"{folder}/spm", model_type="bpe", vocab_size=620, byte_fallback=True, add_dummy_prefix=prefix,
            normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.999, split_digits=True, allow_whitespace_only_pieces=True,
            max_sentence_length=100000, minloglevel=2,
        )
        processor = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/spm.model")
    size = processor.get_piece_size()

    def kind(i):
        if processor.is_unknown(i):
            return UNKNOWN
        return CONTROL if processor.is_control(i) else BYTE if processor.is_byte(i) else NORMAL

    metadata = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [processor.id_to_piece(i) for i in range(size)] + ["<|eot|>", "<tool>", "<tool>x"],
        "tokenizer.ggml.scores": [round(processor.get_score(i), 4) for i in range(size)] + [-1000.0] * 3,
        "tokenizer.ggml.token_type": [kind(i) for i in range(size)] + [CONTROL, USER_DEFINED, USER_DEFINED],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.ggml.add_space_prefix": prefix,
    }
    return metadata, processor


def llama_cpp(program, metadata, texts):
    """What llama.cpp makes of the texts, without special tokens around them."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/vocabulary.gguf"
        writer = gguf.GGUFWriter(file, "llama")
        for key, value in metadata.items():
            if isinstance(value, bool):
                writer.add_bool(key, value)
            elif isinstance(value, int):
                writer.add_uint32(key, value)
            elif isinstance(value, str):
                writer.add_string(key, value)
            else:
                writer.add_array(key, value)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        ids = []
        for text in texts:
            run = [program, "-m", file, "--stdin", "--ids", "--no-bos", "--no-escape", "--log-disable"]
            out = subprocess.run(run, input=text.encode(), capture_output=True, check=True).stdout
            ids.append(json.loads(out))
        return ids


def compare(name, texts, ours, program, metadata):
    if program:
        theirs = llama_cpp(program, metadata, texts)
        for text, mine, other in zip(texts, ours, theirs):
            if mine != other:
                print(f"{name}: llama.cpp differs on {text!r}: {other} instead of {mine}")


def write(file, value):
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=True)}" for k, v in value.items()]
    (OUT / file).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main():
    corpus = pathlib.Path(sys.argv[1]).read_text()[:400_000].splitlines() + FIXED * 3
    program = sys.argv[2] if len(sys.argv) > 2 else None
    plain = FIXED + random_texts(160)
    OUT.mkdir(parents=True, exist_ok=True)
    write("texts.json", {"plain": plain, "special": SPECIAL})
    for name in RULES:
        metadata, ids = byte_level(name, corpus, plain, SPECIAL)
        compare(name, plain + SPECIAL, ids, program, metadata)
        write(f"{name}.json", metadata | {"plain": ids[: len(plain)], "special": ids[len(plain) :]})
    for name, prefix in (("sentencepiece", True), ("sentencepiece-no-prefix", False)):
        metadata, processor = sentence_piece(corpus, prefix)
        ids = [processor.encode(t) for t in plain]
        compare(name, plain, ids, program, metadata)
        write(f"{name}.json", metadata | {"plain": ids, "special": llama_cpp(program, metadata, SPECIAL) if program else []})


main()
