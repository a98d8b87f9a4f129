package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Each twin computes each case of the table: within the rounding of its terms of the truth in double. */
class KernelsTest {
    @TestFactory
    Stream<DynamicTest> everyTwinComputesEveryCase() {
        return Stream.of(Twins.values())
                .flatMap(twin -> KernelCases.all().stream()
                        .map(kernelCase ->
                                DynamicTest.dynamicTest(twin + " " + kernelCase, () -> check(twin, kernelCase))));
    }

    private static void check(Twins twin, KernelCase kernelCase) {
        CpuKernels kernels = twin.get();
        try (Arena arena = Arena.ofConfined()) {
            KernelCase.Prepared prepared = kernelCase.prepare(arena);
            MemorySegment result = prepared.run(kernels);
            KernelCase.Truth truth = prepared.truth();
            for (int i = 0; i < truth.values().length; i++) {
                assertThat(Operands.get(result, i))
                        .as("result %d", i)
                        .isCloseTo(truth.values()[i], within(truth.tolerances()[i]));
            }
        }
    }
}
