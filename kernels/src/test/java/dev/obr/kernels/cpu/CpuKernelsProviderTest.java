package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuKernelsProviderTest {
    @TempDir
    Path cache;

    @Test
    void choosesTheFastestThatWorks() {
        CpuKernels fastest = Twins.NATIVE_GENERIC.get();
        CpuKernelsProvider.Choice choice = CpuKernelsProvider.choose("auto", environment());
        assertThat(choice.kernels().name()).isEqualTo(fastest.name());
        assertThat(choice.reason())
                .startsWith("kernels: native (" + choice.kernels().instructionSet() + ")");
    }

    @Test
    void givesWhatIsAskedFor() {
        assertThat(CpuKernelsProvider.choose("scalar", environment()).reason())
                .isEqualTo("kernels: scalar (plain Java); as requested");
        assertThat(CpuKernelsProvider.choose("vector", environment()).kernels().name())
                .isEqualTo("vector");
        assertThatThrownBy(() -> CpuKernelsProvider.choose("fast", environment()))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("'fast'")
                .hasMessageContaining("auto, native, vector, scalar");
    }

    /** With neither native access nor the Vector API's module, the scalar twin serves and the line names both reasons. */
    @Test
    void fallsBackWithAReasonForEachFasterTwin() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--illegal-native-access=deny",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ChooseAutomatically.class.getName(),
                        cache.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output)
                .contains("kernels: scalar (plain Java); native not used: ")
                .contains("vector not used: java was started without --add-modules jdk.incubator.vector");
    }

    static final class ChooseAutomatically {
        public static void main(String[] args) {
            System.out.println(CpuKernelsProvider.choose("auto", Map.of("OBR_CACHE", args[0]))
                    .reason());
        }
    }

    @Test
    void findsKernelsThatComputeWrongly() {
        assertThat(SelfTest.firstDifference(new ScalarKernels())).isEmpty();
        assertThat(SelfTest.firstDifference(new Wrong(new ScalarKernels())))
                .hasValueSatisfying(difference -> assertThat(difference).startsWith("add gives "));
    }

    private Map<String, String> environment() {
        return Map.of("OBR_CACHE", cache.toString());
    }

    /** Adds one too much to the last element. */
    private static final class Wrong extends Delegating {
        Wrong(CpuKernels right) {
            super(right);
        }

        @Override
        public void add(MemorySegment x, MemorySegment y, long n) {
            super.add(x, y, n);
            x.setAtIndex(
                    ValueLayout.JAVA_FLOAT_UNALIGNED, n - 1, x.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, n - 1) + 1);
        }
    }
}
