package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The Vector API twin on a machine with vectors of 128 bits: a JVM that is told so computes the whole table. */
class VectorWidthTest {
    @Test
    void computesEveryCaseWithNarrowVectors() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:MaxVectorSize=16",
                        "-Xmx1g",
                        "--add-modules=jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        EveryCase.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains("4 lanes: 0 wrong");
    }

    static final class EveryCase {
        public static void main(String[] args) {
            CpuKernels kernels = new VectorKernels();
            int wrong = 0;
            for (KernelCase kernelCase : KernelCases.all()) {
                try (Arena arena = Arena.ofConfined()) {
                    KernelCase.Prepared prepared = kernelCase.prepare(arena);
                    MemorySegment result = prepared.run(kernels);
                    if (!isRight(result, prepared.truth())) {
                        System.out.println(kernelCase);
                        wrong++;
                    }
                }
            }
            System.out.println(kernels.instructionSet() + ": " + wrong + " wrong");
        }

        private static boolean isRight(MemorySegment result, KernelCase.Truth truth) {
            for (int i = 0; i < truth.values().length; i++) {
                if (!(Math.abs(Operands.get(result, i) - truth.values()[i]) <= truth.tolerances()[i])) {
                    return false;
                }
            }
            return true;
        }
    }
}
