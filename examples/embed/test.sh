#!/usr/bin/env bash
# The artifacts as an application gets them: installed into a repository of their own, checked, and a program built against them whose pom knows the README's snippet and no more.
#   test.sh RUNNABLE_JAR            (which knows where a JDK 25 is) needs nothing that the build has not downloaded, but Maven's plugin for installing
#   test.sh RUNNABLE_JAR release    as they are published: with sources and documentation, deployed into a folder
set -euo pipefail
cd "$(dirname "$0")/../.."
java=$(java -jar "$1" --show-command generate)
export JAVA_HOME=${java%%/bin/java *}
java=$JAVA_HOME/bin/java
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "test-embed: $*" >&2; exit 1; }

# What was downloaded before, by links; what is installed lies beside them. A build that ends before `install` has not downloaded the plugin for it.
downloaded=${MAVEN_REPOSITORY:-$HOME/.m2/repository}
mvn -B -ntp -q -N -Dmaven.repo.local="$downloaded" install:help
repository=$work/repository
mkdir "$repository"
cp -as "$downloaded/." "$repository"
rm -rf "$repository/dev/obr"
maven() { mvn -B -ntp -q -Dmaven.repo.local="$repository" "$@"; }

echo "Installing the artifacts ..."
files="jar pom"
if [ "${2:-}" = release ]; then
  files="jar pom sources.jar javadoc.jar"
  maven -Prelease -Dmaven.test.skip -Dspotless.check.skip -pl '!cli,!bench' -DaltDeploymentRepository="deployed::file:$work/deployed" deploy
  [ ! -e "$work/deployed/dev/obr/obr-cli" ] || fail "obr-cli is deployed"
else
  maven -Dmaven.test.skip -Dspotless.check.skip -pl '!cli,!bench' install
fi

version=$(sed -n 's:^  <version>\(.*\)</version>$:\1:p' bom/pom.xml)
modules=$(sed -n 's:^        <artifactId>obr-\(.*\)</artifactId>$:\1:p' bom/pom.xml)
for module in $modules; do
  jar=$repository/dev/obr/obr-$module/$version/obr-$module-$version.jar
  for file in $files; do
    found=("$repository/dev/obr/obr-$module/$version"/*"$version"?"$file")
    [ -f "${found[0]}" ] || fail "obr-$module has no $file"
    [ "$files" = "jar pom" ] || ls "$work/deployed/dev/obr/obr-$module/$version"/*"$file" >/dev/null || fail "$file of obr-$module is not deployed"
  done
  "$JAVA_HOME/bin/jar" --describe-module --file "$jar" | grep -q "^dev.obr.$module@.*automatic" || fail "obr-$module does not name its module"
  "$JAVA_HOME/bin/jar" tf "$jar" >"$work/entries"
  grep -qx META-INF/LICENSE "$work/entries" || fail "obr-$module has no licence"
  ! grep -q '^META-INF/maven' "$work/entries" || fail "obr-$module has Maven's files"
  [ "$module" != kernels ] || [ ! -d kernels/target/native-resources ] || grep -q '^native/.*/libobrkernels' "$work/entries" || fail "obr-kernels has no native kernels"
done
for what in name description url licenses developers scm; do
  for pom in pom.xml bom/pom.xml; do
    grep -q "^  <$what[ >]" $pom || fail "$pom has no $what, which Maven Central asks for"
  done
done

echo "Building a program against them ..."
cp -r examples/embed "$work/embed"
maven -o -f "$work/embed/pom.xml" package
model=runtime/src/test/resources/models/stories260K
text=$("$java" -jar "$work/embed/target/embed-1.jar" $model "Once upon a time" 2>"$work/err")
[ ${#text} -gt 200 ] || fail "the program wrote: $text $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "the program printed: $(cat "$work/err")"

# The same jars as modules.
path=$(unzip -p "$work/embed/target/embed-1.jar" META-INF/MANIFEST.MF | tr -d '\r' | sed -e ':a' -e 'N' -e '$!ba' -e 's/\n //g' | sed -n 's/^Class-Path: //p' | tr ' ' ':')
text=$("$java" -p "$work/embed/target/embed-1.jar:$path" --add-modules tools.jackson.databind,com.google.gson \
  --enable-native-access=dev.obr.kernels,dev.obr.models,ai.djl.tokenizers -m embed/example.Main $model "Once upon a time" 2>"$work/err") || fail "as modules: $text $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "as modules the program printed: $(cat "$work/err")"
[ ${#text} -gt 200 ] || fail "as modules the program wrote: $text $(cat "$work/err")"
echo "A program outside the project generates with obr-runtime $version, from the class path and as modules."
