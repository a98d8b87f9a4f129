# OBR Runtime. `make` builds, `make run PROMPT="..."` generates a text, `make test` checks everything.

JAR     := cli/target/obr-runtime.jar
ARCHIVE := cli/target/obr-runtime.aot
MVN     := mvn -B -ntp
PROMPT  ?= Once upon a time
ARGS    ?=
export PROMPT

# What the jar is made of: when none of it is newer than the jar, nothing is built.
SOURCES := $(shell find . -path ./.git -prune -o -path ./bench/peers -prune -o -path '*/target' -prune -o \
             \( -path '*/src/main/*' -o -name pom.xml \) -type f -print) LICENSE NOTICE THIRD-PARTY.txt \
             $(wildcard kernels/target/native-resources/native/*/*)

.PHONY: all jar natives run test test-native test-interop test-spring-boot test-emulator gpu-check bench quality peers ptx ptx-check ptx-report clean format help

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

# The official clients of OpenAI's API against the server; they are downloaded. MODEL is one that chats.
test-interop: jar
	@server/src/test/interop/run.sh $(JAR) "$(MODEL)"

# The Spring Boot example, built against this checkout, asked and ended; Spring Boot is downloaded. MODEL is one that chats.
test-spring-boot: jar
	@examples/spring-boot/test.sh $(JAR) "$(MODEL)"

# The GPU kernels on the shapes of models, instruction by instruction; minutes.
test-emulator:
	@$(MVN) -q -pl compressor -am test-compile surefire:test@emulator

# Whether this machine's GPU computes right, and how fast, into bench/results; for who has one.
gpu-check: jar
	@java -jar $(JAR) gpu-check --device cuda --output bench/results $(ARGS)

bench: jar
	@java -jar $(JAR) bench membw
	@java -jar $(JAR) bench $(ARGS)

# What compression costs in quality, into docs/quality.md; about an hour on two cores. SHARED holds models/ and data/.
SHARED ?= ../shared
quality: jar
	@bench/quality.sh $(JAR) $(SHARED)

# Speed beside llama.cpp and Jlama, in turns; some minutes a round on two cores. LLAMA holds llama-bench and llama-quantize.
ROUNDS ?= 3
peers: jar
	@bench/peers.py $(JAR) "$(LLAMA)" $(ROUNDS)

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
	@echo 'make test-spring-boot    build the Spring Boot example (downloaded) and ask it; MODEL=PATH is one that chats'
	@echo 'make test-emulator       run GPU kernels and whole models in the PTX emulator, for minutes'
	@echo 'make gpu-check           check that the GPU here computes right and measure it, into bench/results; ARGS="--quick" does less'
	@echo 'make bench               measure memory and the built-in model; ARGS="-m PATH" another'
	@echo 'make quality             measure what compression costs, into docs/quality.md'
	@echo 'make peers LLAMA=DIR     measure speed beside the llama.cpp built in DIR, and Jlama; ROUNDS=3'
	@echo 'make ptx                 compile the CUDA kernels to PTX; ptx-check compares, ptx-report counts registers and instructions'
	@echo 'make format              format the Java sources'
	@echo 'make clean               delete what was built'
