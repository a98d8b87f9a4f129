#!/usr/bin/env bash
# Programs that others wrote against the server: run.sh JAR FOLDER SHARED [MODEL]. They are installed into FOLDER and stay there. Each part that cannot run here says why, and is counted.
set -uo pipefail
jar=$(realpath "$1")
shared=$(realpath -m "$3")
model=${4:-$shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf}
here=$(realpath "$(dirname "$0")")
mkdir -p "$2" && cd "$2" || exit 1
key=interop-key
export OBR_API_KEY=$key OPENAI_API_KEY=$key
passed=0 failed=0 skipped=0
server=

# part NAME COMMAND..: 0 has passed, 77 was skipped after saying why, all else failed.
part() {
  local name=$1 result=0
  shift
  "$@" || result=$?
  case $result in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)); echo "$name: failed" ;;
  esac
}

skip() {
  echo "skipped: $*"
  return 77
}

finish() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; }
  if [ $((passed + failed)) = 0 ]; then
    echo "interop: nothing was run, all $skipped parts were skipped"
  else
    echo "interop: $passed passed, $failed failed, $skipped skipped"
  fi
  [ "$failed" = 0 ]
}

# What is installed already is kept while its list of versions is the same.
python_packages() {
  cmp -s "$here/requirements.txt" py/requirements.txt && return
  command -v python3 >/dev/null || { echo "there is no python3 here"; return 1; }
  echo "installing Python packages ..." >&2
  python3 -m venv py >install.log 2>&1 \
    && timeout 420 py/bin/pip -q --disable-pip-version-check --retries 2 --timeout 20 install --no-compile -r "$here/requirements.txt" >>install.log 2>&1 \
    && cp "$here/requirements.txt" py/ && return
  echo "the Python packages cannot be installed here: $(grep -m 1 -i error install.log || tail -n 1 install.log)"
  return 1
}

node_packages() {
  cmp -s "$here/package.json" node_modules/package.json && return
  command -v npm >/dev/null || { echo "there is no npm here"; return 1; }
  echo "installing JavaScript packages ..." >&2
  cp "$here/package.json" . \
    && timeout 300 npm install --silent --no-audit --no-fund --no-package-lock --fetch-retries 1 --fetch-timeout 20000 >install.log 2>&1 \
    && cp "$here/package.json" node_modules/ && return
  echo "the JavaScript packages cannot be installed here: $(grep -m 1 -i error install.log || tail -n 1 install.log)"
  return 1
}

# Leaves the address in $base.
start_server() {
  : >server.log # of another run, it would name another address
  java -jar "$jar" serve --model "$model" --context 2048 --alias smollm2 --port 0 >>server.log 2>&1 &
  server=$!
  until base=$(sed -n 's/^listening at //p' server.log) && [ -n "$base" ]; do
    kill -0 $server 2>/dev/null || { cat server.log; return 1; }
    sleep 0.2
  done
}

python_client() {
  [ -z "$no_python" ] || skip "OpenAI's Python client: $no_python" || return
  py/bin/python "$here/client.py" "$base" "$key"
}

node_client() {
  [ -z "$no_node" ] || skip "OpenAI's JavaScript client: $no_node" || return
  node "$here/client.mjs" "$base" "$key"
}

page() {
  [ -z "$no_node" ] || skip "the chat page in Chromium: $no_node" || return
  node "$here/page.mjs" "$base" "$key"
}

# lm-evaluation-harness finds by way of the server what the verb eval finds in the model itself.
harness() {
  local items=${ITEMS:-200} data=$shared/data/zeroshot
  [ -z "$no_python" ] || skip "lm-evaluation-harness: $no_python" || return
  [ -f "$data/piqa.jsonl" ] || skip "lm-evaluation-harness: there is no $data/piqa.jsonl" || return
  rm -rf harness && mkdir -p harness/tasks
  sed "s|@DATA@|$data/piqa.jsonl|" "$here/piqa.yaml" >harness/tasks/piqa.yaml
  py/bin/python "$here/tokenizer.py" "$model" harness/tokenizer >harness/log 2>&1 \
    || { cat harness/log; return 1; }
  java -jar "$jar" --quiet eval --model "$model" --tasks piqa --tasks-dir "$data" --limit $items --json >harness/eval.json || return
  HF_HUB_OFFLINE=1 HF_HOME=$PWD/harness/hub timeout 1200 py/bin/lm_eval --model local-completions --tasks obr_piqa --include_path harness/tasks --limit $items \
    --batch_size 16 --output_path harness/results \
    --model_args "model=smollm2,base_url=$base/v1/completions,tokenizer=$PWD/harness/tokenizer,tokenizer_backend=huggingface,max_length=2048" \
    >>harness/log 2>&1 || { tail -n 40 harness/log; return 1; }
  py/bin/python "$here/accuracy.py" harness/eval.json harness/results $items
}

log_without_key() {
  grep -q -e "$key" server.log && { echo "the key is in the server's log"; return 1; }
  grep -q '^error:' server.log && { cat server.log; return 1; }
  echo "the server's log: no error, no key"
}

if [ ! -e "$model" ]; then
  echo "skipped: all, for want of a model that chats: MODEL=PATH names one ($model is not there)"
  skipped=5
  finish
  exit
fi
no_python=$(python_packages)
no_node=$(node_packages)
start_server || exit 1
trap 'kill $server 2>/dev/null' EXIT INT TERM
part "OpenAI's Python client" python_client
part "OpenAI's JavaScript client" node_client
part "the chat page in Chromium" page
part "lm-evaluation-harness" harness
part "the server's log" log_without_key
finish
