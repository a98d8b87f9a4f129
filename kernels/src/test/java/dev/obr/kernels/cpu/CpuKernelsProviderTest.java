package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
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

    @Test
    void aCapKeepsNativeKernelsFromFasterInstructionSets() {
        Twins.NATIVE_GENERIC.get();
        CpuKernelsProvider.Choice capped = choose("auto", CpuCap.GENERIC);
        assertThat(capped.reason()).isEqualTo("kernels: native (any processor, 4 lanes); capped at generic");
        assertThat(capped.kernels().packed())
                .isEqualTo(new PackedKernels.Choice(null, "integers multiplied as floats: capped at generic"));
        assertThat(choose("native", CpuCap.GENERIC).reason()).endsWith("; capped at generic; as requested");
        assertThat(choose("auto", CpuCap.NONE).reason()).doesNotContain("capped");
        assertThat(choose("scalar", CpuCap.GENERIC).reason()).doesNotContain("capped");
    }

    @Test
    void namesEachSetAndWhyItIsNotUsed() {
        Twins.NATIVE_GENERIC.get();
        CpuKernelsProvider.NativeSets all = CpuKernelsProvider.nativeSets(CpuCap.NONE, environment());
        CpuKernelsProvider.NativeSets capped = CpuKernelsProvider.nativeSets(CpuCap.GENERIC, environment());
        assertThat(all.floats().getLast())
                .isEqualTo(new CpuKernelsProvider.SetReport("generic", true, "any processor, 4 lanes", ""));
        assertThat(capped.floats().getLast()).isEqualTo(all.floats().getLast());
        assertThat(all.integers()).allSatisfy(set -> assertThat(set.verdict()).doesNotContain("capped"));
        for (CpuKernelsProvider.SetReport set : all.integers()) {
            CpuKernelsProvider.SetReport expected = set.works()
                    ? new CpuKernelsProvider.SetReport(set.name(), false, "capped at generic", set.note())
                    : set;
            assertThat(capped.integers()).contains(expected);
        }
    }

    @Test
    void capsHaveNames() {
        assertThat(CpuCap.named(null)).isEqualTo(CpuCap.NONE);
        assertThat(CpuCap.named("avxvnni")).isEqualTo(CpuCap.AVXVNNI);
        for (String wrong : List.of("none", "AVX2", "")) {
            assertThatThrownBy(() -> CpuCap.named(wrong))
                    .isInstanceOf(ObrException.class)
                    .hasMessage("kernels cannot be capped at '" + wrong
                            + "' (-Dobr.cpu): use one of generic, avx2, avxvnni, avx512, amx");
        }
    }

    private CpuKernelsProvider.Choice choose(String kernels, CpuCap cap) {
        return CpuKernelsProvider.choose(new CpuKernelsProvider.Request(kernels, cap), environment());
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
