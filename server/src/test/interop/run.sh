#!/bin/sh
# The official clients against the server: run.sh JAR MODEL. They are installed into build/interop, which git ignores.
set -eu
jar=$(realpath "$1")
model=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
mkdir -p build/interop
cd build/interop
[ -x py/bin/python ] || python3 -m venv py
py/bin/python -c 'import openai' 2>/dev/null || py/bin/pip -q install openai
[ -d node_modules/openai ] || npm install --silent --prefix . openai
OBR_API_KEY=interop java -jar "$jar" serve --model "$model" --context 2048 --port 8189 >server.log 2>&1 &
server=$!
trap 'kill $server' EXIT
until curl -sf http://127.0.0.1:8189/health >/dev/null; do
  kill -0 $server || { cat server.log; exit 1; }
  sleep 0.2
done
py/bin/python "$here/client.py" http://127.0.0.1:8189/v1 interop
node "$here/client.mjs" http://127.0.0.1:8189/v1 interop
