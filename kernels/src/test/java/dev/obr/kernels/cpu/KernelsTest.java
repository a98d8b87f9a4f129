package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/** Each twin, and each native instruction set that this machine has, computes each case of the table: the truth in double within the rounding of its terms. */
class KernelsTest {
    @TestFactory
    Stream<DynamicNode> everyTwinComputesEveryCase() {
        return Stream.of(Twins.values()).map(KernelsTest::everyCase);
    }

    private static DynamicNode everyCase(Twins twin) {
        CpuKernels kernels;
        try {
            kernels = twin.get();
        } catch (TestAbortedException unavailable) {
            return DynamicTest.dynamicTest(twin.toString(), () -> {
                throw unavailable;
            });
        }
        return DynamicContainer.dynamicContainer(
                twin.toString(),
                KernelCases.all().stream()
                        .map(kernelCase -> DynamicTest.dynamicTest(
                                twin + " " + kernelCase, () -> agreesWithTruth(kernels, kernelCase))));
    }

    private static void agreesWithTruth(CpuKernels kernels, KernelCase kernelCase) {
        try (Arena arena = Arena.ofConfined()) {
            KernelCase.Prepared prepared = kernelCase.prepare(arena);
            MemorySegment result = prepared.run(kernels);
            KernelCase.Truth truth = prepared.truth();
            for (int i = 0; i < truth.values().length; i++) {
                double error = Math.abs(Operands.get(result, i) - truth.values()[i]);
                if (!(error <= truth.tolerances()[i])) {
                    assertThat(Operands.get(result, i))
                            .as(
                                    "%s, result %d, off by %g where %g is allowed",
                                    kernels.instructionSet(), i, error, truth.tolerances()[i])
                            .isEqualTo((float) truth.values()[i]);
                }
            }
        }
    }
}
