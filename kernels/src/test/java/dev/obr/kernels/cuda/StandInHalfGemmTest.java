package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** cuBLAS' product of half floats, through JCuda and a library that stands in for NVIDIA's: which of its operands is which. */
@Tag("stand-in-driver")
class StandInHalfGemmTest {
    private static final int TOKENS = 3;
    private static final int FEATURES = 5;
    private static final int COLUMNS = 4;

    @BeforeAll
    static void load() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
        StandInDriver.shared().configure(StandInDriver.Options.USUAL);
        StandInLibraries.shared();
    }

    /** Small whole numbers: sums are exact. */
    @Test
    void everyResultIsThatOfItsTokenAndFeature() {
        short[] w = new short[FEATURES * COLUMNS];
        short[] x = new short[TOKENS * COLUMNS];
        short[] expected = new short[TOKENS * FEATURES];
        for (int i = 0; i < w.length; i++) {
            w[i] = Float.floatToFloat16(i - 7);
        }
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.floatToFloat16(i * i % 5);
        }
        for (int i = 0; i < expected.length; i++) {
            float sum = 0;
            for (int c = 0; c < COLUMNS; c++) {
                sum += Float.float16ToFloat(w[i % FEATURES * COLUMNS + c])
                        * Float.float16ToFloat(x[i / FEATURES * COLUMNS + c]);
            }
            expected[i] = Float.floatToFloat16(sum);
        }
        try (Arena arena = Arena.ofConfined();
                CudaDevice device = CudaDevice.open(0);
                CudaHalfGemm gemm = new CudaHalfGemm(device)) {
            for (int round = 0; round < 2; round++) { // each time on another stream
                try (GpuStream stream = device.newStream();
                        GpuMemory weights = upload(device, stream, w);
                        GpuMemory rows = upload(device, stream, x);
                        GpuMemory y = device.allocate(2L * expected.length)) {
                    gemm.multiply(stream, weights, rows, TOKENS, FEATURES, COLUMNS, y);
                    MemorySegment found = arena.allocate(y.byteSize());
                    stream.copyOut(y, 0, found);
                    stream.synchronize();
                    assertThat(found.toArray(ValueLayout.JAVA_SHORT)).isEqualTo(expected);
                    assertThatThrownBy(() -> gemm.multiply(stream, weights, rows, TOKENS + 1, FEATURES, COLUMNS, y))
                            .isInstanceOf(ObrException.class)
                            .hasMessageContaining("activations has 24 bytes, but 32 are needed");
                    gemm.close();
                }
            }
        }
        assertThat(StandInDriver.shared().live()).isZero();
    }

    private static GpuMemory upload(CudaDevice device, GpuStream stream, short[] values) {
        GpuMemory memory = device.allocate(2L * values.length);
        stream.copyIn(MemorySegment.ofArray(values), memory, 0);
        return memory;
    }
}
