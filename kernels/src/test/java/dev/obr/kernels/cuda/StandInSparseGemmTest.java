package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.StandInLibraries.SparseMutation;
import dev.obr.kernels.gpu.GpuException;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** cuSPARSE's products of sparse half floats, through JCuda and a library that stands in for NVIDIA's: which of its operands is which. */
@Tag("stand-in-driver")
class StandInSparseGemmTest {
    private static final int TOKENS = 3;
    private static final int FEATURES = 4;
    private static final int COLUMNS = 6;
    private static final int BLOCK = 2;
    private static final int KEPT = 4; // columns, of blocks 0 and 2, then 1 and 2

    /** Small whole numbers: sums are exact. */
    private static final float[][] W = {
        {1, 2, 0, 0, 3, 4}, {-1, 5, 0, 0, 2, -3}, {0, 0, 7, 1, 0, 6}, {0, 0, 2, -2, 1, 1},
    };

    private static final int[] BLOCKS = {0, 2, 1, 2};

    @BeforeAll
    static void load() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
        StandInDriver.shared().configure(StandInDriver.Options.USUAL);
        StandInLibraries.shared();
    }

    @AfterEach
    void mutateNothing() {
        StandInLibraries.shared().mutate(SparseMutation.NONE);
    }

    private enum Format {
        CSR,
        BLOCKED_ELL
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void everyResultIsThatOfItsTokenAndFeature(Format format) {
        assertThat(products(format)).isEqualTo(expected());
        assertThat(StandInDriver.shared().live()).isZero();
    }

    /** Each changes an argument on its way to the library: the comparison above would find a caller who passes it so. */
    @ParameterizedTest
    @EnumSource(value = SparseMutation.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
    void aWrongArgumentIsFound(SparseMutation mutation) {
        StandInLibraries.shared().mutate(mutation);
        boolean ofBlocks = mutation == SparseMutation.ELL_COLUMNS || mutation == SparseMutation.BLOCK_SIZE;
        short[] found;
        try {
            found = products(ofBlocks ? Format.BLOCKED_ELL : Format.CSR);
        } catch (GpuException e) {
            return; // the device says so
        }
        assertThat(found).isNotEqualTo(expected());
    }

    @Test
    void tooLittleMemoryIsRefusedHere() {
        try (CudaDevice device = CudaDevice.open(0);
                GpuStream stream = device.newStream();
                CudaSparseGemm gemm = CudaSparseGemm.on(device);
                GpuMemory small = device.allocate(4);
                GpuMemory values = device.allocate(2 * FEATURES * KEPT)) {
            assertThatThrownBy(() -> gemm.csr(FEATURES, COLUMNS, small, values, values))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("row starts has 4 bytes, but 20 are needed");
            assertThatThrownBy(() -> gemm.blockedEll(FEATURES, COLUMNS, BLOCK, KEPT, small, values))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("block indices has 4 bytes, but 16 are needed");
            try (SparseHalves w = weights(device, stream, gemm, Format.BLOCKED_ELL)) {
                assertThatThrownBy(() -> gemm.product(stream, w, small, TOKENS, values))
                        .isInstanceOf(ObrException.class)
                        .hasMessageContaining("activations has 4 bytes, but 36 are needed");
                assertThatThrownBy(() -> gemm.product(stream, w, values, 2, small))
                        .isInstanceOf(ObrException.class)
                        .hasMessageContaining("results has 4 bytes, but 16 are needed");
            }
        }
    }

    private static short[] expected() {
        short[] expected = new short[TOKENS * FEATURES];
        for (int i = 0; i < expected.length; i++) {
            float sum = 0;
            for (int c = 0; c < COLUMNS; c++) {
                sum += W[i % FEATURES][c] * x(i / FEATURES, c);
            }
            expected[i] = Float.floatToFloat16(sum);
        }
        return expected;
    }

    private static float x(int token, int column) {
        return (token * COLUMNS + column) * (column + 1) % 5 - 1;
    }

    /** The same product twice, on two streams, and two products at once, each with its own weights' descriptor. */
    private static short[] products(Format format) {
        try (Arena arena = Arena.ofConfined();
                CudaDevice device = CudaDevice.open(0);
                CudaSparseGemm gemm = CudaSparseGemm.on(device);
                GpuStream stream = device.newStream();
                GpuStream other = device.newStream();
                GpuMemory y = device.allocate(2L * TOKENS * FEATURES)) {
            short[] x = new short[TOKENS * COLUMNS];
            for (int i = 0; i < x.length; i++) {
                x[i] = Float.floatToFloat16(x(i / COLUMNS, i % COLUMNS));
            }
            GpuMemory rows = upload(device, stream, MemorySegment.ofArray(x));
            stream.fill(y, 0, y.byteSize(), (byte) 0x3c); // finite numbers, of which beta 0 leaves nothing
            SparseHalves w = weights(device, stream, gemm, format);
            SparseHalves same = weights(device, stream, gemm, format);
            CudaSparseGemm.Product first = gemm.product(stream, w, rows, TOKENS, y);
            CudaSparseGemm.Product second = gemm.product(stream, same, rows, TOKENS, y);
            first.multiply(stream);
            second.multiply(stream);
            stream.synchronize();
            first.multiply(other);
            MemorySegment found = arena.allocate(y.byteSize());
            other.copyOut(y, 0, found);
            other.synchronize();
            first.close();
            second.close();
            return found.toArray(ValueLayout.JAVA_SHORT);
        }
    }

    private static SparseHalves weights(CudaDevice device, GpuStream stream, CudaSparseGemm gemm, Format format) {
        if (format == Format.CSR) {
            int[] starts = new int[FEATURES + 1];
            int[] indices = new int[FEATURES * COLUMNS];
            short[] values = new short[indices.length];
            int entries = 0;
            for (int row = 0; row < FEATURES; row++) {
                for (int c = 0; c < COLUMNS; c++) {
                    if (W[row][c] != 0) {
                        indices[entries] = c;
                        values[entries++] = Float.floatToFloat16(W[row][c]);
                    }
                }
                starts[row + 1] = entries;
            }
            return gemm.csr(
                    FEATURES,
                    COLUMNS,
                    upload(device, stream, MemorySegment.ofArray(starts)),
                    upload(device, stream, MemorySegment.ofArray(indices).asSlice(0, 4L * entries)),
                    upload(device, stream, MemorySegment.ofArray(values).asSlice(0, 2L * entries)));
        }
        short[] values = new short[FEATURES * KEPT];
        for (int i = 0; i < values.length; i++) {
            int row = i / KEPT;
            int k = i % KEPT;
            int column = BLOCKS[row / BLOCK * (KEPT / BLOCK) + k / BLOCK] * BLOCK + k % BLOCK;
            values[i] = Float.floatToFloat16(W[row][column]);
        }
        return gemm.blockedEll(
                FEATURES,
                COLUMNS,
                BLOCK,
                KEPT,
                upload(device, stream, MemorySegment.ofArray(BLOCKS)),
                upload(device, stream, MemorySegment.ofArray(values)));
    }

    private static GpuMemory upload(CudaDevice device, GpuStream stream, MemorySegment values) {
        GpuMemory memory = device.allocate(values.byteSize());
        stream.copyIn(values, memory, 0);
        return memory;
    }
}
