#!/usr/bin/env bash
# The example against the artifacts of this checkout: built, asked, left, and ended while it answers.
#   test.sh RUNNABLE_JAR MODEL     the jar knows where a JDK 25 is, the model is one that chats; Spring Boot is downloaded into build/spring-boot, which git ignores
set -euo pipefail
java=$(java -jar "$1" --show-command generate)
export JAVA_HOME=${java%%/bin/java *}
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS
model=$(realpath "$2")
cd "$(dirname "$0")/../.."
work=$PWD/build/spring-boot
url=http://127.0.0.1:8191
app=
trap '[ -z "$app" ] || kill "$app" 2>/dev/null || true' EXIT
fail() { echo "test-spring-boot: $*" >&2; tail -20 "$work/log" >&2; exit 1; }

# What was downloaded before, by links; what is installed or downloaded lies beside them.
repository=$work/repository
mkdir -p "$repository"
cp -asn "${MAVEN_REPOSITORY:-$HOME/.m2/repository}/." "$repository"
rm -rf "$repository/dev/obr" "$work/app"
maven() { mvn -B -ntp -q -Dmaven.repo.local="$repository" "$@"; }
maven -Dmaven.test.skip -Dspotless.check.skip -pl langchain4j -am install
cp -r examples/spring-boot "$work/app"
maven -f "$work/app/pom.xml" package

"$JAVA_HOME/bin/java" -jar "$work/app/target/chat-1.jar" --chat.model="$model" --server.port=8191 >"$work/log" 2>&1 &
app=$!
health() { curl -sf $url/actuator/health; }
until health >/dev/null; do
  kill -0 $app || fail "the application did not start"
  sleep 0.5
done
health | grep -q '"model":{"details":{"model":' || fail "health says nothing of the model: $(health)"

echo "An answer ..."
answer=$(curl -sfN --get $url/chat --data-urlencode 'message=What is the capital of France? Answer in one sentence.')
[ "$(grep -c '^data:{"text":' <<<"$answer")" -ge 4 ] || fail "no stream of events: $answer"
grep -q Paris <<<"$answer" || fail "the answer is: $answer"
grep -A1 '^event:end' <<<"$answer" | grep -q '"finishReason":"STOP"' || fail "the stream has no end: $answer"

story='message=Tell me a very long story about a fisherman and the sea.'
echo "A client that leaves ..."
curl -sN --get $url/chat --data-urlencode "$story" | head -5 >/dev/null || true
for _ in $(seq 60); do
  if health | grep -q '"running":0'; then break; fi
  sleep 0.5
done
health | grep -q '"running":0' || fail "an answer that nobody reads goes on: $(health)"

echo "The end, while an answer is under way ..."
curl -sfN --get $url/chat --data-urlencode "$story" >"$work/story" &
reader=$!
until [ "$(grep -c '^data' "$work/story")" -ge 5 ]; do
  kill -0 $reader || fail "the stream broke"
  sleep 0.1
done
kill $app
wait $reader || fail "the stream broke when the application was to end"
grep -q '^event:end' "$work/story" || fail "the answer has no end: $(tail -3 "$work/story")"
status=0
wait $app || status=$?
app=
[ $status -eq 143 ] || fail "the application ended with $status"
grep -q 'Graceful shutdown complete' "$work/log" || fail "the shutdown was not graceful"
echo "The Spring Boot example streams, notices who leaves, and ends when its answers have."
