#!/usr/bin/env python3
"""Measures OBR Runtime beside llama.cpp and Jlama, in turns, and writes a Markdown table to stdout.

    bench/peers.py JAR LLAMA_BIN [ROUNDS]    LLAMA_BIN is a folder with llama-bench and llama-quantize

All run the same shape with random weights on two threads. The models lie in bench/target/peers, 8 GB, and are made
once: delete it to start anew. Jlama comes by Maven (bench/peers); where it cannot run, a line says so and the others
are measured. It needs a JDK 25 as JAVA_HOME, or on the path.
"""

import datetime
import json
import os
import shutil
import subprocess
import sys
from statistics import median

WORK = "bench/target/peers"
SHAPE = ["--shape", "llama-3.2-1b", "--vocab", "32000"]
PATTERNS = ["4:8p", "2:4", "32:64", "unstructured", "dense"]
THREADS = "2"
# Prompt lengths and generated tokens. F16 is there for the ratio of generation, and slow.
PROMPTS, GENERATED = "128,512", "128"
PROMPTS_F16, GENERATED_F16 = "128", "16"
ROUNDS = 3

JLAMA_TARGET = "bench/peers/target"
# The Java that Maven compiles with, too. The flags are what Jlama's own launcher passes, as far as Java 25 needs it.
JAVA = os.path.join(os.environ["JAVA_HOME"], "bin/java") if "JAVA_HOME" in os.environ else "java"
JLAMA = [JAVA, "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
         "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0",
         "-cp", f"{JLAMA_TARGET}/classes:{JLAMA_TARGET}/lib/*", "dev.obr.peers.JlamaBench"]

Q4_0, LLAMA_F16, OBR_F16 = "llama.cpp Q4_0", "llama.cpp F16", "OBR F16"


class Failure(Exception):
    """A sentence for whoever started the script."""


def say(line):
    print(line, file=sys.stderr, flush=True)


def run(*command, **options):
    """What a command writes to stdout."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, **options)
    except OSError as error:
        raise Failure(f"{command[0]} does not start: {error.strerror}") from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        raise Failure(f"{' '.join(command)}\nfailed: " + "\n".join(words[-5:]))
    return done.stdout


# ------------------------------------------------------------------------------------------------------- programs
# Each measurement gives tokens/s as {"pp128": ..., "pp512": ..., "tg": ...} and what computed them as "by".


class LlamaCpp:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        for program in "llama-bench", "llama-quantize":
            if not os.access(f"{self.folder}/{program}", os.X_OK):
                raise Failure(f"There is no {program} in '{folder}': give the folder where llama.cpp's programs were built")

    def run(self, program, *arguments):
        # Its libraries lie beside its programs.
        return run(f"{self.folder}/{program}", *arguments, env={**os.environ, "LD_LIBRARY_PATH": self.folder})

    def quantize(self, model, out):
        self.run("llama-quantize", model, out, "Q4_0", THREADS)

    def bench(self, model, prompts=PROMPTS, generated=GENERATED):
        rows = json.loads(self.run("llama-bench", *bench_options(model, prompts, generated)))
        return by_test(rows, f"llama.cpp build {rows[0]['build_number']}, {rows[0]['build_commit']}")


class Obr:
    def __init__(self, jar):
        if not os.path.exists(jar):
            raise Failure(f"{jar} does not exist: make builds it")
        self.jar = jar
        self.version = self.run("--version").strip()

    def run(self, *arguments):
        return run("java", "-jar", self.jar, *arguments)

    def make_model(self, out, *options):
        self.run("make-model", *SHAPE, *options, out)

    def bench(self, model, prompts=PROMPTS, generated=GENERATED):
        rows = json.loads(self.run("bench", *bench_options(model, prompts, generated)))
        return by_test(rows, rows[0]["backends"])

    def bandwidth(self):
        return float(self.run("bench", "membw", "-t", THREADS).split("|")[-2])


class Jlama:
    def __init__(self):
        if not shutil.which("mvn"):
            raise Failure("there is no mvn on the path to fetch it with")
        run("mvn", "-B", "-ntp", "-q", "-f", "bench/peers/pom.xml", "compile")

    def quantize(self, model, out):
        run(*JLAMA, "quantize", model, out)

    def bench(self, model):
        return json.loads(run(*JLAMA, "bench", model, THREADS, PROMPTS, GENERATED))


def bench_options(model, prompts, generated):
    return "-m", model, "-p", prompts, "-n", generated, "-t", THREADS, "-r", "1", "-o", "json"


def by_test(rows, by):
    rates = {f"pp{row['n_prompt']}" if row["n_prompt"] else "tg": row["avg_ts"] for row in rows}
    return rates | {"by": f"{by}, cache {rows[0]['type_k']}"}


# --------------------------------------------------------------------------------------------------------- models


def made(name, write):
    """Where a model lies; written once, and there only when complete."""
    path, part = f"{WORK}/{name}", f"{WORK}/part"
    if not os.path.exists(path):
        say(f"make {path}")
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        write(f"{part}/{name}")
        os.rename(f"{part}/{name}", path)
    return path


def contenders(obr, llama):
    """The measurements of a round, by name."""
    f16 = made("f16.gguf", lambda out: obr.make_model(out, "--format", "gguf", "--dtype", "f16"))
    q4_0 = made("q4_0.gguf", lambda out: llama.quantize(f16, out))
    measure = {Q4_0: lambda: llama.bench(q4_0)}
    for pattern in PATTERNS:
        packed = made(pattern.replace(":", "-"), lambda out: obr.make_model(out, "--format", "packed", "--pattern", pattern))
        measure[f"OBR {pattern}"] = lambda packed=packed: obr.bench(packed)
    try:
        jlama = Jlama()
        floats = made("hf", lambda out: obr.make_model(out, "--format", "hf", "--dtype", "f16"))
        jlama_q4 = made("jlama-q4", lambda out: jlama.quantize(floats, out))
        measure["Jlama Q4"] = lambda: jlama.bench(jlama_q4)
    except Failure as failure:
        say(f"Jlama is left out: {failure}")
    measure[OBR_F16] = lambda: obr.bench(f16, PROMPTS_F16, GENERATED_F16)
    measure[LLAMA_F16] = lambda: llama.bench(f16, PROMPTS_F16, GENERATED_F16)
    return measure


# --------------------------------------------------------------------------------------------------------- rounds


def measure_rounds(obr, measure, count):
    """A list of rounds, each {name: measurement}, and the bandwidths of memory, GB/s."""
    rounds, bandwidths = [], []
    for number in range(1, count + 1):
        bandwidths.append(obr.bandwidth())
        say(f"round {number} of {count}: memory {bandwidths[-1]:.1f} GB/s")
        this_round = {}
        # Every second round runs backwards, so that a machine that slows down favours nobody.
        for name in list(measure) if number % 2 else reversed(list(measure)):
            try:
                this_round[name] = measure[name]()
            except Failure as failure:
                if name.startswith("Jlama"):
                    say(f"Jlama is left out of round {number}: {failure}")
                    continue
                raise
            say(f"  {name:18}" + "".join(f" {test} {rate:.1f}" for test, rate in this_round[name].items() if test != "by"))
        rounds.append(this_round)
    return rounds, bandwidths


def rate(rounds, name, test):
    values = [r[name][test] for r in rounds if test in r.get(name, {})]
    return f"{median(values):.1f}" if values else "-"


def ratio(rounds, name, test, base):
    """Against another of the same round: the median, and the range over the rounds."""
    values = [r[name][test] / r[base][test] for r in rounds if test in r.get(name, {}) and test in r[base]]
    return f"{median(values):.2f} ({min(values):.2f}-{max(values):.2f})" if values and name != base else "-"


def machine():
    with open("/proc/cpuinfo") as lines:
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {os.uname().sysname} {os.uname().release}"


def table(obr, rounds, bandwidths):
    columns = [("pp128", Q4_0), ("pp512", Q4_0), ("tg", Q4_0), ("tg", LLAMA_F16), ("tg", OBR_F16)]
    heads = ["model", "computed by", "pp128", "pp512", "tg"] + [f"{test} / {base}" for test, base in columns]
    yield f"Machine: {machine()}. Date: {datetime.date.today()}. {obr.version}."
    yield ""
    yield f"    bench/peers.py {os.path.basename(obr.jar)} LLAMA_BIN {len(rounds)}"
    yield ""
    yield (f"Random weights, `{' '.join(SHAPE)}`, {THREADS} threads. Tokens/s: a prompt of 128 and of 512 tokens, and"
           f" {GENERATED} generated ones ({GENERATED_F16} of F16): medians, rounds: {len(rounds)}. Ratios are to another of the same round: median (range).")
    yield (f"Memory is read at {median(bandwidths):.1f} GB/s ({min(bandwidths):.1f}-{max(bandwidths):.1f}),"
           " measured at the start of each round.")
    yield "Q4 and packed models multiply activations in 8 bits; their LM heads are Q6_K (llama.cpp), 8-bit (OBR), Q4 (Jlama)."
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|" + "--:|" * (len(heads) - 2)
    for name in dict.fromkeys(name for r in rounds for name in r):
        by = next(r[name]["by"] for r in rounds if name in r)
        cells = [rate(rounds, name, test) for test in ("pp128", "pp512", "tg")]
        cells += [ratio(rounds, name, test, base) for test, base in columns]
        yield f"| {name} | {by} | {' | '.join(cells)} |"


def main(arguments):
    if len(arguments) not in (2, 3) or not all(count.isdigit() and int(count) for count in arguments[2:]):
        raise Failure("usage: bench/peers.py JAR LLAMA_BIN [ROUNDS]")
    obr, llama = Obr(arguments[0]), LlamaCpp(arguments[1])
    os.makedirs(WORK, exist_ok=True)
    count = int(arguments[2]) if len(arguments) == 3 else ROUNDS
    rounds, bandwidths = measure_rounds(obr, contenders(obr, llama), count)
    print("\n".join(table(obr, rounds, bandwidths)))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failure as failure:
        sys.exit(str(failure))
