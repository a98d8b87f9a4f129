# CUDA C++ to the PTX that the jar carries and the repository keeps: users need a driver, developers no compiler until they change a kernel.
#   make -C kernels -f cuda.mk ptx            with NVCC=path/to/nvcc, or one of release 13.0 on the PATH, else with the pinned one of src/main/cuda/compiler.sh
#   make -C kernels -f cuda.mk ptx-check      compiles all of it and compares: the same compiler gives the same bytes
#   make -C kernels -f cuda.mk ptx-report     what ptxas makes of it for each architecture: registers, spills, instructions

SHELL   := bash
CUDA    := src/main/cuda
PTX     := src/main/resources/dev/obr/kernels/gpu
MODULES := $(sort $(basename $(notdir $(wildcard $(CUDA)/*.cu))))
HEADERS := $(sort $(wildcard $(CUDA)/*.cuh))
BUILD   := target/cuda

# The release that the committed PTX comes from; PTX of another one would differ.
RELEASE := release 13.0
NVCC    ?= $(shell nvcc --version 2>/dev/null | grep -q '$(RELEASE)' && command -v nvcc)
TOOLS    = $(if $(NVCC),$(dir $(shell command -v $(NVCC))),$(shell $(CUDA)/compiler.sh target/cuda-compiler)/)

# Drivers since CUDA 11.8 (R520) read this version; what nvcc writes for itself asks for R580.
VERSION := 7.8
FLAGS   := -O3 -arch=compute_80 -ptx

.PHONY: ptx ptx-check ptx-report
ptx: $(MODULES:%=$(PTX)/%.ptx)

# The first line is what a test recomputes: the SHA-256 of the module's source and of all headers in the order of their names.
# No comments, which name the build; an own file first, so that an interrupted build leaves the old one.
define compile
@mkdir -p $(dir $@) $(BUILD)
@tools=$(TOOLS) && set -o pipefail && "$$tools"nvcc $(FLAGS) $< -o $(BUILD)/$*.raw.ptx && \
  { echo "// sources sha256 $$(cat $< $(HEADERS) | sha256sum | cut -d ' ' -f 1)" && \
    sed -e '/^[[:space:]]*\/\//d' -e '/^[[:space:]]*$$/d' -e 's/^\.version .*/.version $(VERSION)/' $(BUILD)/$*.raw.ptx; } > $@.part && mv $@.part $@
endef

$(PTX)/%.ptx: $(CUDA)/%.cu $(HEADERS) cuda.mk
	@echo "nvcc $*"
	$(compile)

$(BUILD)/%.ptx: $(CUDA)/%.cu $(HEADERS) cuda.mk
	$(compile)

ptx-check: $(MODULES:%=$(BUILD)/%.ptx)
	@for module in $(MODULES); do cmp $(BUILD)/$$module.ptx $(PTX)/$$module.ptx || exit 1; done
	@echo "$(MODULES): as committed"

ptx-report:
	@tools=$(TOOLS) && python3 $(CUDA)/report.py "$$tools" $(MODULES:%=$(PTX)/%.ptx)
