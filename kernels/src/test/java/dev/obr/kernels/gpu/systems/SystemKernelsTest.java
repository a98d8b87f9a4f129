package dev.obr.kernels.gpu.systems;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.linear.DeviceRun;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What systems need beside factors and solves, run instruction by instruction: bits are those of the same steps in Java. */
class SystemKernelsTest {
    private static final int COLUMNS = 40;
    private static final int ORDER = 21;
    private static final int[] KEPT = {21, 1, 13};

    @ParameterizedTest
    @EnumSource
    void gatherScatterAndResiduals(Schedule schedule) {
        Random random = new Random(5);
        float[] h = floats(random, COLUMNS * COLUMNS);
        int[] unknowns = new int[KEPT.length * ORDER];
        Arrays.fill(unknowns, -1);
        for (int s = 0; s < KEPT.length; s++) {
            for (int i = 0; i < KEPT[s]; i++) {
                unknowns[s * ORDER + i] = (7 * i + s) % COLUMNS; // 7 and 40 have no common divisor
            }
        }
        float[] x = floats(random, unknowns.length);
        float[] e = floats(random, unknowns.length);
        int[] leading = {20, 1, 0};
        SystemKernels.Shape shape = new SystemKernels.Shape(KEPT.length, ORDER, COLUMNS);
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                SystemKernels kernels = new SystemKernels(run.device());
                GpuMemory hOn = run.upload(MemorySegment.ofArray(h));
                GpuMemory p = run.upload(MemorySegment.ofArray(unknowns));
                GpuMemory xOn = run.upload(MemorySegment.ofArray(x));
                GpuMemory eOn = run.upload(MemorySegment.ofArray(e));
                GpuMemory k = run.upload(MemorySegment.ofArray(leading));
                GpuMemory a = run.device().allocate(4L * unknowns.length * ORDER);
                GpuMemory v = run.device().allocate(8L * KEPT.length * COLUMNS);
                GpuMemory r = run.device().allocate(4L * unknowns.length);
                GpuMemory wide = run.device().allocate(8L * h.length)) {
            kernels.gather(run.stream(), shape, hOn, p, a);
            kernels.widen(run.stream(), hOn, wide, h.length);
            kernels.scatterDifference(run.stream(), shape, xOn, eOn, p, v);
            kernels.residual(run.stream(), shape, eOn, v, p, k, r);
            kernels.add(run.stream(), shape, xOn, r);
            kernels.keepLeading(run.stream(), shape, k, eOn);
            float[] gathered = run.download(a).toArray(ValueLayout.JAVA_FLOAT);
            double[] widened = run.download(wide).toArray(ValueLayout.JAVA_DOUBLE);
            double[] scattered = run.download(v).toArray(ValueLayout.JAVA_DOUBLE);
            float[] residual = run.download(r).toArray(ValueLayout.JAVA_FLOAT);
            float[] sum = run.download(xOn).toArray(ValueLayout.JAVA_FLOAT);
            float[] kept = run.download(eOn).toArray(ValueLayout.JAVA_FLOAT);
            double[] expected = new double[KEPT.length * COLUMNS];
            for (int s = 0; s < KEPT.length; s++) {
                for (int i = 0; i < ORDER; i++) {
                    int at = s * ORDER + i;
                    for (int j = 0; j < ORDER; j++) {
                        boolean both = i < KEPT[s] && j < KEPT[s];
                        float element = both ? h[unknowns[at] * COLUMNS + unknowns[s * ORDER + j]] : i == j ? 1 : 0;
                        assertThat(gathered[at * ORDER + j]).isEqualTo(element);
                    }
                    if (i < KEPT[s]) {
                        expected[s * COLUMNS + unknowns[at]] = (double) x[at] - e[at];
                    }
                    float rest = i < leading[s] ? (float) (e[at] - ((double) x[at] - e[at])) : 0;
                    assertThat(residual[at]).isEqualTo(rest);
                    assertThat(sum[at]).isEqualTo(x[at] + rest);
                    assertThat(kept[at]).isEqualTo(i < leading[s] ? e[at] : 0);
                }
            }
            assertThat(scattered).isEqualTo(expected);
            for (int i = 0; i < h.length; i++) {
                assertThat(widened[i]).isEqualTo(h[i]);
            }
        }
    }

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
