#!/bin/sh
# Measures what compression costs, and writes docs/quality.md: methods and patterns on two small models, perplexity and divergence from the original.
#
#   bench/quality.sh JAR SHARED        SHARED holds models/ and data/
#
# What is done already lies in bench/target/quality and is not done again: delete it to start anew.
set -eu
jar=$1 shared=$2
work=bench/target/quality
table=docs/quality.md
mkdir -p "$work"

run() { java -jar "$jar" --quiet "$@"; }

# packed NAME IN CALIBRATION SAMPLES SEQLEN OPTION...    compresses once
packed() {
    folder=$work/$1 in=$2 calibration=$3 samples=$4 seqlen=$5
    shift 5
    [ -d "$folder" ] && return
    echo "compress $folder" >&2
    start=$(date +%s)
    run compress "$in" "$folder" --force --calibration "$calibration" --samples "$samples" --seqlen "$seqlen" "$@"
    echo $(($(date +%s) - start)) >"$folder.seconds"
}

# measured NAME MODEL TEXT OPTION...    evaluates once; the result is $work/NAME.json
measured() {
    result=$work/$1 model=$2 text=$3
    shift 3
    [ -s "$result.json" ] && return
    echo "eval $result" >&2
    run eval --model "$model" --text "$text" --json "$@" >"$result.part"
    mv "$result.part" "$result.json"
}

# value NAME FIELD    a number of a result, with two decimals; - where there is none
value() {
    [ -s "$work/$1.json" ] || { printf -- -; return; }
    sed -n "s/.*\"$2\":\([-0-9.eE]*\).*/\1/p" "$work/$1.json" | awk -v d="${3:-2}" '{printf "%.*f", d, $1; n = 1} END {if (!n) printf "-"}'
}

megabytes() { stat -c %s "$work/$1/model.safetensors" | awk '{printf "%.1f", $1 / 1e6}'; }
bits() { run inspect --model "$work/$1" | sed -n 's/^packed *\([0-9.]*\) bits.*/\1/p'; }

books_model=$shared/models/obr-books-7m
books_text=$shared/data/books_heldout.txt
books_train=$shared/data/books_train_2MB.txt
smol_model=$(ls "$shared"/models/smollm2-135m-instruct/*.gguf)
smol_text=$shared/data/wikitext2_raw_test.joined.txt
smol_train=$shared/data/wikitext_train_1000.json

# books LABEL PATTERN OPTION...    one row of the first table
books() {
    label=$1 pattern=$2
    name=books-$(echo "$1" | tr -d , | tr ' ' -)-$(echo "$pattern" | tr : -)
    shift 2
    packed "$name" "$books_model" "$books_train" 128 256 --head-bits 16 --pattern "$pattern" "$@"
    measured "$name-w" "$work/$name" "$books_text" --limit 100 --a-bits 16 --kv f16 --reference "$books_model"
    case $label in obr-plus* | obr-gptq) measured "$name-a8" "$work/$name" "$books_text" --limit 100 --a-bits 8 --kv int4 ;; esac
    measured "$name-a4" "$work/$name" "$books_text" --limit 100 --a-bits 4 --kv int4 --reference "$books_model"
    echo "| $label | $pattern | $(bits "$name") | $(megabytes "$name") | $(value "$name-w" perplexity) | $(value "$name-w" kld_mean 4) | $(value "$name-a8" perplexity) | $(value "$name-a4" perplexity) | $(value "$name-a4" kld_mean 4) | $(cat "$work/$name.seconds") |"
}

# cache A-BITS    one row of the second table
cache() {
    name=books-obr-plus-residual-2-4
    for kv in f16 int8 int4; do
        measured "$name-a$1-$kv" "$work/$name" "$books_text" --limit 100 --a-bits "$1" --kv "$kv"
    done
    echo "| $1 | $(value "$name-a$1-f16" perplexity) | $(value "$name-a$1-int8" perplexity) | $(value "$name-a$1-int4" perplexity) |"
}

# of_head BITS    one row of the table of heads: SmolLM2, whose linear layers lose next to nothing in 8 bits
of_head() {
    packed "smol-head-$1" "$smol_model" "$smol_train" 2 256 --method rtn --pattern dense --bits 8 --target layer --head-bits "$1"
    measured "smol-head-$1-w" "$work/smol-head-$1" "$smol_text" --limit 10 --context 1024 --a-bits 16 --kv f16 --reference "$smol_model"
    echo "| $1 | $(megabytes "smol-head-$1") | $(value "smol-head-$1-w" perplexity) | $(value "smol-head-$1-w" kld_mean 5) |"
}

# smol LABEL PATTERN OPTION...    one row of the third table
smol() {
    label=$1 pattern=$2
    name=smol-$(echo "$1" | tr -d , | tr ' ' -)-$(echo "$pattern" | tr : -)
    shift 2
    packed "$name" "$smol_model" "$smol_train" 32 1024 --head-bits 16 --pattern "$pattern" "$@"
    measured "$name-w" "$work/$name" "$smol_text" --limit 40 --context 1024 --a-bits 16 --kv f16
    measured "$name-a8" "$work/$name" "$smol_text" --limit 40 --context 1024 --a-bits 8 --kv int4 --reference "$smol_model"
    measured "$name-a4" "$work/$name" "$smol_text" --limit 40 --context 1024 --a-bits 4 --kv int4
    echo "| $label | $pattern | $(bits "$name") | $(megabytes "$name") | $(value "$name-w" perplexity) | $(value "$name-a8" perplexity) | $(value "$name-a8" kld_mean 4) | $(value "$name-a4" perplexity) | $(awk '{printf "%.0f", $1 / 60}' "$work/$name.seconds") |"
}

smol_rows=$(
    smol "obr-plus, residual" 2:4 --preset quality
    smol "obr-plus, residual" 4:8p --preset quality
    smol obr-gptq 2:4 --preset paper
    smol obr-gptq unstructured --preset paper
)
measured books-float "$books_model" "$books_text" --limit 100
books_rows=$(
    for pattern in unstructured 32:64 2:4 4:8p; do
        books "obr-plus, residual" $pattern --preset quality
        [ $pattern = 4:8p ] && books "obr-plus, residual, columns in file order" $pattern --preset quality --permute off
        books obr-plus $pattern --preset quality --target layer --permute off
        for method in obr-gptq obr-rtn sparsegpt+gptq wanda+rtn; do books $method $pattern --preset paper --method $method; done
    done
    books gptq dense --preset paper --method gptq
    books rtn dense --preset paper --method rtn
)
head_rows=$(for bits in 16 8 4; do of_head $bits; done)
cache_rows=$(for bits in 16 8 4; do cache $bits; done)
cat >"$table.part" <<TABLE
# What compression costs

Perplexity (lower is better) and mean divergence from the original's predictions (KLD, nats), protocol \`obr\` ([eval.md](eval.md)), measured on what is deployed: integer codes of weights
and activations, a coded cache. Written by \`make quality\`. W4 is weights alone (activations and cache in floats); W4A8KV4 and W4A4KV4 quantise activations (4 bits with a searched clip,
the default) and the cache, too. All prune half of each linear layer, rotated by QuaRot, 4-bit codes with clip search, seed 0. Bits are per weight of the linear layers, scales included:
rows are short here, so a scale weighs more than in a large model (4096 x 4096: 2.51 for 4:8p, 3.01 for the other sparse patterns, 4.01 dense). A dash is a figure that was not measured.

How to read it: \`obr-plus, residual\` is \`--preset quality\`, the default; \`obr-plus\` is the same fitted layer by layer (\`--target layer --permute off\`); \`obr-gptq\` is \`--preset paper\`;
the others are its baselines. Where much is lost, at 2:4 and 4:8p, the target is the larger lever, elsewhere the search of mask and codes. With both, 4:8p, the pairs that tensor cores execute, loses less at 2.5 bits than the
published method at 2:4 and 3 bits. 32:64 costs hardly more than unstructured. 8-bit activations cost next to nothing, 4-bit ones more on a real model. One-shot 50% sparsity remains expensive
for small models: SmolLM2's perplexity doubles at best.

What it takes: obr-plus needs 2.3 times the time of obr-gptq for a linear layer of 576 x 576 (2.3 s against 1.0 s at 2:4) as of 2048 x 2048 (35.7 s against 15.4 s), by the verb \`layer\` on two cores of an
AMD EPYC (Zen 3), nothing else running. The residual target sends every calibration window through each layer twice; \`--permute auto\` compresses a sample of rows twice more.

## obr-books-7m

6.8 million parameters, calibrated on 128 x 256 tokens of novels, evaluated on 100 windows of 256 of others (seconds: on a machine
that had other work, too). The original: **$(value books-float perplexity)**.

| method | pattern | bits | MB | W4 ppl | W4 KLD | W4A8KV4 ppl | W4A4KV4 ppl | W4A4KV4 KLD | compress s |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
$books_rows

Activations and cache of one of these models, obr-plus with the residual target at 2:4, by perplexity:

| bits of activations | cache F16 | cache int8 | cache int4 |
|--:|--:|--:|--:|
$cache_rows

## SmolLM2-135M-Instruct

134.5 million parameters (the Q4_1 GGUF file, dequantised), calibrated on 32 x 1024 tokens of WikiText-2's training articles, evaluated on 40 windows of 1024 of its test text. The original:
**$(value smol-obr-gptq-2-4-a8 reference_perplexity)**.

| method | pattern | bits | MB | W4 ppl | W4A8KV4 ppl | W4A8KV4 KLD | W4A4KV4 ppl | compress min |
|---|---|--:|--:|--:|--:|--:|--:|--:|
$smol_rows

The head by itself (\`--head-bits\`, 8 unless said otherwise; all rows above keep it in half precision). Linear layers here have 8-bit codes and lose next to nothing, activations and cache are floats; 10 of the windows:

| head bits | MB | perplexity | KLD |
|--:|--:|--:|--:|
$head_rows
TABLE
mv "$table.part" "$table"
echo "wrote $table" >&2
