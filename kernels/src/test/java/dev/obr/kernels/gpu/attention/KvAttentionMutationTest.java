package dev.obr.kernels.gpu.attention;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.check.Sequences;
import dev.obr.kernels.gpu.linear.DeviceRun;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernel for prompts needs each of its shuffles and products: without one of them results differ. */
class KvAttentionMutationTest {
    private static final Sequences SEQUENCES = new Sequences(64, 4, 1, 264, new int[] {260}, 3);
    private static final Pattern SHUFFLE = Pattern.compile("shfl\\.sync\\.bfly\\.b32\\s+(\\S+)\\|\\S+, (\\S+),[^;]*;");
    private static final Pattern PRODUCT = Pattern.compile("mma\\.sync\\.[^;]*;");

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 35, 38, 41, 44, 47})
    void aShuffleOfALanesOwnValueIsFound(int n) {
        assertThat(passes(mutant(SHUFFLE, n, "mov.b32 $1, $2;"))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9, 18, 31, 32, 41, 50, 63})
    void aMissingProductIsFound(int n) {
        assertThat(passes(mutant(PRODUCT, n, ""))).isFalse();
    }

    @Test
    void theKernelPasses() {
        assertThat(places(KernelModule.ATTENTION.ptx(), SHUFFLE)).hasSize(48);
        assertThat(places(KernelModule.ATTENTION.ptx(), PRODUCT)).hasSize(64);
        assertThat(passes(KernelModule.ATTENTION.ptx())).isTrue();
    }

    private static String mutant(Pattern instruction, int n, String replacement) {
        String ptx = KernelModule.ATTENTION.ptx();
        MatchResult place = places(ptx, instruction).get(n);
        String mutated = instruction.matcher(place.group()).replaceFirst(replacement);
        return ptx.substring(0, place.start()) + mutated + ptx.substring(place.end());
    }

    private static List<MatchResult> places(String ptx, Pattern instruction) {
        int entry = ptx.indexOf(".entry prefill_attention_kv4_64(");
        int next = ptx.indexOf(".entry ", entry + 1);
        return instruction
                .matcher(ptx)
                .results()
                .filter(place -> place.start() > entry && (next < 0 || place.start() < next))
                .toList();
    }

    /** Of floats and of half floats. */
    private static boolean passes(String ptx) {
        float[] expected = SEQUENCES.twin();
        return Arrays.equals(results(ptx, NormQuantizer.Input.F32), bytes(MemorySegment.ofArray(expected)))
                && Arrays.equals(results(ptx, NormQuantizer.Input.F16), bytes(MemorySegment.ofArray(halves(expected))));
    }

    private static byte[] bytes(MemorySegment memory) {
        return memory.toArray(ValueLayout.JAVA_BYTE);
    }

    private static short[] halves(float[] x) {
        short[] halves = new short[x.length];
        for (int i = 0; i < x.length; i++) {
            halves[i] = Float.floatToFloat16(x[i]);
        }
        return halves;
    }

    private static byte[] results(String ptx, NormQuantizer.Input output) {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                KvCodeCache cache = SEQUENCES.upload(run.device(), run.stream());
                GpuMemory q = run.upload(MemorySegment.ofArray(SEQUENCES.queries()));
                GpuMemory places = run.upload(MemorySegment.ofArray(SEQUENCES.places()));
                GpuMemory y = run.device().allocate((long) output.bytes() * SEQUENCES.queries().length);
                KvAttention attention =
                        new KvAttention(run.device(), run.device().load("mutant.ptx", ptx), output, 4, 1, 64, 264, 1)) {
            attention.prefill(run.stream(), q, places, 3, cache, y);
            return bytes(run.download(y));
        }
    }
}
