#!/usr/bin/env bash
# Measures OBR Runtime beside llama.cpp and Jlama, in turns: `bench compare` with Jlama as one more program.
#
#     bench/peers.sh JAR LLAMA_BIN [ROUNDS [OPTION..]]    LLAMA_BIN is a folder with llama-bench and llama-quantize; options are those of bench compare
#
# All run the same shape with random weights. The models lie in bench/target/peers, 8 GB, and are made once: delete it to start anew. Jlama comes by
# Maven (bench/peers); where it cannot be had, a line says so and the others are measured. It needs a JDK 25 as JAVA_HOME, or on the path.
set -euo pipefail
jar=$(realpath "${1:?the jar}") llama=$(realpath "${2:?the folder with llama-bench}") rounds=${3:-3}
shift $(($# < 3 ? $# : 3))
cd "$(dirname "$0")/.."
work=bench/target/peers
shape=(--shape llama-3.2-1b --vocab 32000)
threads=$(nproc)
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
# The flags are what Jlama's own launcher passes, as far as Java 25 needs it.
jlama="$java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0 \
-cp bench/peers/target/classes:bench/peers/target/lib/* dev.obr.peers.JlamaBench"

# Jlama's model, made once and there only when complete. The class path's * is Java's to expand.
make_jlama_model() {
  [ -d "$work/jlama-q4" ] && return
  mkdir -p "$work" && rm -rf "$work/hf" "$work/part" &&
    "$java" -jar "$jar" make-model "${shape[@]}" --format hf --dtype f16 "$work/hf" >&2 &&
    (set -f && $jlama quantize "$work/hf" "$work/part" >&2) &&
    rm -rf "$work/hf" && mv "$work/part" "$work/jlama-q4"
}

peers=()
if mvn -B -ntp -q -f bench/peers/pom.xml compile >&2 && make_jlama_model; then
  peers=(--peer "Jlama Q4=$jlama bench $work/jlama-q4 $threads 128,512 128")
else
  echo "Jlama is left out: it cannot be fetched or run here" >&2
fi
exec "$java" -jar "$jar" bench compare --llama-cpp "$llama" "${shape[@]}" --work "$work" --threads "$threads" --rounds "$rounds" "${peers[@]}" "$@"
