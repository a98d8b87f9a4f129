package dev.obr.kernels.gpu.attention;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.EmulationException;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.check.Sequences;
import dev.obr.kernels.gpu.linear.DeviceRun;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every barrier of the kernel for prompts is needed: without it the emulator stops, or results differ. */
class KvAttentionMutationTest {
    private static final Sequences SEQUENCES = new Sequences(64, 4, 1, 264, new int[] {260}, 3);

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void aMissingBarrierIsFound(int barrier) {
        assertThat(passes(withoutBarrier(KernelModule.ATTENTION.ptx(), barrier)))
                .isFalse();
    }

    @Test
    void theKernelHasFiveAndPasses() {
        assertThat(barriers(KernelModule.ATTENTION.ptx())).hasSize(5);
        assertThat(passes(KernelModule.ATTENTION.ptx())).isTrue();
    }

    private static String withoutBarrier(String ptx, int n) {
        MatchResult barrier = barriers(ptx).get(n);
        return ptx.substring(0, barrier.start()) + ptx.substring(barrier.end());
    }

    private static List<MatchResult> barriers(String ptx) {
        int entry = ptx.indexOf(".entry prefill_attention_kv4_4(");
        int next = ptx.indexOf(".entry ", entry + 1);
        return Pattern.compile("bar\\.sync\\s+0;")
                .matcher(ptx)
                .results()
                .filter(barrier -> barrier.start() > entry && (next < 0 || barrier.start() < next))
                .toList();
    }

    private static boolean passes(String ptx) {
        float[] expected = SEQUENCES.twin();
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                KvCodeCache cache = SEQUENCES.upload(run.device(), run.stream());
                GpuMemory q = run.upload(MemorySegment.ofArray(SEQUENCES.queries()));
                GpuMemory places = run.upload(MemorySegment.ofArray(SEQUENCES.places()));
                GpuMemory y = run.device().allocate(4L * expected.length);
                KvAttention attention = new KvAttention(
                        run.device(),
                        run.device().load("mutant.ptx", ptx),
                        NormQuantizer.Input.F32,
                        4,
                        1,
                        64,
                        264,
                        1)) {
            attention.prefill(run.stream(), q, places, 3, cache, y);
            return Arrays.equals(run.download(y).toArray(DeviceRun.FLOAT), expected);
        } catch (EmulationException found) {
            return false;
        }
    }
}
