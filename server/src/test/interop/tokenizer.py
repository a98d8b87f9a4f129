"""The tokenizer of a GGUF file in the layout that the transformers library reads: tokenizer.py MODEL.gguf FOLDER. For byte-level BPE that splits digits, as SmolLM2's."""

import sys

from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

fields = GGUFReader(sys.argv[1]).fields


def field(name):
    return fields["tokenizer.ggml." + name].contents()


if field("pre") != "smollm":
    sys.exit("the tokenizer of %s splits texts as '%s' does, which this script does not know" % (sys.argv[1], field("pre")))
tokens = field("tokens")
merges = [tuple(merge.split(" ")) for merge in field("merges")]
bpe = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
bpe.pre_tokenizer = pre_tokenizers.Sequence(
    [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
)
bpe.decoder = decoders.ByteLevel()
bpe.add_special_tokens(
    [AddedToken(token, special=True, normalized=False) for token, kind in zip(tokens, field("token_type")) if kind == 3]
)
PreTrainedTokenizerFast(
    tokenizer_object=bpe, bos_token=tokens[field("bos_token_id")], eos_token=tokens[field("eos_token_id")]
).save_pretrained(sys.argv[2])
