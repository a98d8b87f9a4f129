# OBR Runtime. `make` builds, `make run PROMPT="..."` generates a text, `make test` checks everything.

JAR     := cli/target/obr-runtime.jar
ARCHIVE := cli/target/obr-runtime.aot
MVN     := mvn -B -ntp
PROMPT  ?= Once upon a time
ARGS    ?=
PUBLISHED := kernels models runtime server compressor
export PROMPT

# What the jar is made of: when none of it is newer than the jar, nothing is built.
SOURCES := $(shell find . -path ./.git -prune -o -path ./bench/peers -prune -o -path ./examples -prune -o -path '*/target' -prune -o \
             \( -path '*/src/main/*' -o -name pom.xml \) -type f -print) LICENSE NOTICE THIRD-PARTY.txt \
             $(wildcard kernels/target/native-resources/native/*/*)

.PHONY: all jar natives run test test-native test-interop test-pull test-emulator gpu-check bench jmh quality peers ptx ptx-check ptx-report test-load test-embed test-release test-cycles javadoc test-spring-boot clean format help

all: jar

jar: natives
	@$(MAKE) --no-print-directory $(JAR) $(ARCHIVE)

$(JAR): $(SOURCES)
	@echo "Building $(JAR) ..."
	@$(MVN) -q -pl cli -am package -Dmaven.test.skip
	@touch $(JAR)
	@echo "Built $(JAR): java -jar $(JAR) --help"

# What the JVM loads and links at every start, written once; the jar works without it, starting 0.25 s slower.
$(ARCHIVE): $(JAR)
	@rm -f $@
	@command=$$(java -jar $(JAR) --show-command generate --prompt start -n 4) && \
	  sh -c "$${command%% -cp *} -XX:AOTCacheOutput=$@ -cp $${command#* -cp }" >/dev/null 2>&1 && test -f $@ \
	  || echo "No archive for faster starts: this Java does not write one."

# The C kernels; without a compiler the Vector API computes.
natives:
	@if [ ! -f kernels/Makefile ]; then :; \
	elif command -v $${CC:-cc} >/dev/null 2>&1; then $(MAKE) --no-print-directory -C kernels; \
	else echo "No C compiler (cc): going on without native kernels, the Vector API computes."; fi

run: jar
	@java -jar $(JAR) generate --prompt "$$PROMPT" $(ARGS)

test: natives test-native
	@$(MVN) verify

# The kernels in C under sanitizers; without a compiler one line says so.
test-native:
	@$(MAKE) --no-print-directory -C kernels test-native

# A program outside the project, built against the artifacts as they are installed; test-release: as they are published, with what they need of Maven Central.
test-embed: jar
	@examples/embed/test.sh $(JAR)

test-release: jar
	@examples/embed/test.sh $(JAR) release

# A model opened and closed a thousand times leaves nothing behind.
test-cycles: natives
	@$(MVN) -q -pl runtime -am test -Dtest=OpenCloseTest -Dsurefire.failIfNoSpecifiedTests=false -Dobr.cycles=1000

# The documentation of all modules that are published, into target/javadoc; a warning is an error.
javadoc: jar
	@mkdir -p target
	@home=$$(java -jar $(JAR) --show-command generate) && "$${home%%/bin/java *}/bin/javadoc" -quiet -Xdoclint:all,-missing -Xmaxwarns 1000 --add-modules jdk.incubator.vector \
	  -windowtitle "OBR Runtime" -d target/javadoc -cp $(JAR) $$(find $(PUBLISHED:=/src/main/java) -name '*.java') >target/javadoc.log 2>&1; status=$$?; \
	  ! grep -vE 'incubating module|^[0-9]+ warnings?$$' target/javadoc.log && exit $$status
	@echo "The documentation lies in target/javadoc."

# Programs of others against the server: OpenAI's clients, a browser on its page, lm-evaluation-harness. They are installed into INTEROP; MODEL is one that chats.
INTEROP ?= build/interop
test-interop: jar
	@server/src/test/interop/run.sh $(JAR) $(INTEROP) $(SHARED) "$(MODEL)"

# 64 clients at once on a server with the built-in model.
SECONDS ?= 300
test-load: jar
	@server/src/test/load/load.py $(JAR) $(SECONDS)

# pull and Python's huggingface_hub (downloaded) on one cache, with a hub on this machine.
test-pull: jar
	@models/src/test/interop/run.sh $(JAR)

# The Spring Boot example, built against this checkout, asked and ended; Spring Boot is downloaded. MODEL is one that chats.
test-spring-boot: jar
	@examples/spring-boot/test.sh $(JAR) "$(MODEL)"

# The GPU kernels on the shapes of models, instruction by instruction; minutes.
test-emulator:
	@$(MVN) -q -pl compressor -am test-compile surefire:test@emulator

# Whether this machine's GPU computes right, and how fast, into bench/results; for who has one.
gpu-check: jar
	@java -jar $(JAR) gpu-check --device cuda --output bench/results $(ARGS)

# What a machine makes of it, into bench/results, in ten minutes: products, requests end to end, GPUs modelled, and a page of all results there.
TODAY := $(shell date +%F)
bench: jar
	@mkdir -p bench/results bench/target
	@java -jar $(JAR) bench gemm --shapes 4096x4096,11008x4096,4096x11008 --tokens 1,16,256,2048 --budget 240 --output bench/results/$(TODAY)-gemm.json
	@java -jar $(JAR) bench e2e --shape llama-3.2-1b --layers 8 --vocab 32000 --patterns 4:8p,2:4,unstructured,dense --work bench/target/models \
	  -p 128 -n 32 -c 1,4,16 -r 3 --output bench/results/$(TODAY)-e2e.json
	@java -jar $(JAR) bench roofline --output bench/results/$(TODAY)-roofline.json
	@java -jar $(JAR) bench report bench/results --output bench/target/report.html --markdown bench/target/report.md

# Each kernel by itself, on the cases that the tests compare; some minutes.
jmh: natives
	@$(MVN) -q -pl bench -am test-compile surefire:test@jmh

# What compression costs in quality, into docs/quality.md and bench/results; hours on two cores. SHARED holds models/ and data/. What is done lies in
# bench/target/quality and is not done again.
SHARED  ?= ../shared
QUALITY  = java -jar $(JAR) bench quality --document docs/quality.md
BOOKS    = -m $(SHARED)/models/obr-books-7m --calibration $(SHARED)/data/books_train_2MB.txt --samples 128 --seqlen 256 \
             --text $(SHARED)/data/books_heldout.txt --windows 100
SMOLLM2  = -m $(wildcard $(SHARED)/models/smollm2-135m-instruct/*.gguf) --calibration $(SHARED)/data/wikitext_train_1000.json \
             --text $(SHARED)/data/wikitext2_raw_test.joined.txt -c 1024
quality: jar
	@$(QUALITY) $(BOOKS) --name books --output bench/results/$(TODAY)-quality-books.json \
	  --methods obr-plus/residual/auto,obr-plus/residual,obr-plus,obr-gptq,obr-rtn,sparsegpt+gptq,wanda+rtn,gptq,rtn
	@$(QUALITY) $(BOOKS) --name cache --output bench/results/$(TODAY)-quality-cache.json --methods obr-plus/residual/auto --patterns 2:4 \
	  --precisions A16KV16,A16KV8,A16KV4,A8KV16,A8KV8,A8KV4,A4KV16,A4KV8,A4KV4
	@$(QUALITY) $(SMOLLM2) --name smollm2 --output bench/results/$(TODAY)-quality-smollm2.json --samples 32 --seqlen 1024 --windows 40 \
	  --methods obr-plus/residual/auto,obr-gptq --patterns unstructured,2:4,4:8p
	@$(QUALITY) $(SMOLLM2) --name head --output bench/results/$(TODAY)-quality-head.json --samples 2 --seqlen 256 --windows 10 \
	  --methods rtn --bits 8 --head-bits 16,8,4 --precisions A16KV16

# Speed beside llama.cpp and Jlama, in turns; some minutes a round on two cores. LLAMA holds llama-bench and llama-quantize.
ROUNDS ?= 3
peers: jar
	@bench/peers.sh $(JAR) "$(LLAMA)" $(ROUNDS) $(ARGS)

# CUDA kernels to the PTX that the jar carries (NVCC=... or the pinned compiler of kernels/src/main/cuda/compiler.sh), a check that it is that of
# the sources to the byte, and what NVIDIA's assembler makes of it.
ptx ptx-check ptx-report:
	@$(MAKE) --no-print-directory -C kernels -f cuda.mk $@

format:
	@$(MVN) -q spotless:apply

clean:
	@$(MVN) -q clean
	@rm -rf bench/peers/target
	@if [ -f kernels/Makefile ]; then $(MAKE) --no-print-directory -C kernels clean; fi

help:
	@echo 'make                     build the jar (and the native kernels, with a C compiler)'
	@echo 'make run PROMPT="..."    generate a text with the built-in model; ARGS="..." adds options'
	@echo 'make test                check everything'
	@echo 'make test-interop        run OpenAI'"'"'s own clients (downloaded) against the server; MODEL=PATH is one that chats'
	@echo 'make test-pull           check pull against Python'"'"'s huggingface_hub, which is downloaded'
	@echo 'make test-load           load a server with 64 clients for SECONDS=300'
	@echo 'make test-embed          build and run a program against the artifacts, as they are installed; test-release: as published'
	@echo 'make test-cycles         open and close a model a thousand times'
	@echo 'make javadoc             document every module; a warning is an error'
	@echo 'make test-spring-boot    build the Spring Boot example (downloaded) and ask it; MODEL=PATH is one that chats'
	@echo 'make test-emulator       run GPU kernels and whole models in the PTX emulator, for minutes'
	@echo 'make gpu-check           check that the GPU here computes right and measure it, into bench/results; ARGS="--quick" does less'
	@echo 'make bench               measure products and models for ten minutes, into bench/results, and make bench/target/report.html'
	@echo 'make jmh                 measure each CPU kernel by itself, for some minutes'
	@echo 'make quality             measure what compression costs, for hours, into docs/quality.md and bench/results'
	@echo 'make peers LLAMA=DIR     measure speed beside the llama.cpp built in DIR, and Jlama; ROUNDS=3 ARGS="--output FILE"'
	@echo 'make ptx                 compile the CUDA kernels to PTX; ptx-check compares, ptx-report counts registers and instructions'
	@echo 'make format              format the Java sources'
	@echo 'make clean               delete what was built'
