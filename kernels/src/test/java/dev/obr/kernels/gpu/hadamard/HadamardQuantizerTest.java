package dev.obr.kernels.gpu.hadamard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.linear.DeviceRun;
import dev.obr.kernels.gpu.linear.InputOrder;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.linear.ScalarNormQuantizer;
import dev.obr.kernels.gpu.linear.SparseOperands;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hadamard transform and codes, run instruction by instruction: codes and scales equal those of the scalar twin to the bit. */
class HadamardQuantizerTest {
    @ParameterizedTest
    @CsvSource({
        // input, layout, bits, clip, n, width, tokens, gate, ordered
        "F16, INT4, 4, 0,       8,   1, 2, false, true",
        "F32, INT4, 4, 0,      64,   1, 3, true, true",
        "F16, INT4, 4, 0.8,   128,   1, 1, false, false",
        "F32, INT8, 4, 0,     256,   1, 2, true, false",
        "F16, INT4, 4, 0,     512,   1, 1, true, false",
        "F16, INT8, 8, 1,    1024,   1, 2, false, true",
        "F32, INT4, 4, 1,    2048,   1, 1, false, true",
        "F16, INT4, 4, 0,    4096,   1, 1, true, false",
        "F16, INT4, 4, 0,    8192,   1, 1, false, false",
        "F16, INT8, 4, 0,   16384,   1, 1, false, true",
        "F32, INT4, 4, 0,     172,   1, 3, true, true", // rows that begin anywhere, a segment of one column
        "F16, INT4, 4, 0,     344,   1, 2, false, false",
        "F16, INT4, 4, 0,     576,   1, 2, true, false",
        "F32, INT8, 8, 0,     768,   1, 2, false, false",
        "F16, INT4, 4, 0,    1536,   1, 2, true, true",
        "F32, INT4, 4, 0,    2304,   1, 1, false, false",
        "F16, INT4, 4, 0,   11008,   1, 1, true, false",
        "F16, INT8, 4, 0.5, 14336,   1, 1, true, false",
        "F32, INT4, 4, 0,       8,  64, 2, false, false", // across heads
        "F16, INT4, 4, 0,      12,  64, 2, false, true",
        "F16, INT8, 8, 1,       4,   8, 2, false, false",
        "F32, INT4, 4, 0,      32, 128, 1, false, false",
        "F16, INT4, 4, 0,       1, 576, 2, true, false", // no transform
        "F32, INT4, 4, 0,       1, 172, 2, true, true",
        "F16, INT8, 8, 1,       1, 3072, 1, true, false",
    })
    void codesAndScalesEqualThoseOfTheTwin(
            NormQuantizer.Input input,
            TokenLayout layout,
            int bits,
            float clip,
            int n,
            int width,
            int tokens,
            boolean gate,
            boolean ordered) {
        ActivationQuantizer quantizer = new ActivationQuantizer(bits, clip);
        HadamardTransform transform = HadamardTransform.of(n).orElseThrow();
        int columns = n * width;
        int stride = gate ? 2 * columns : columns; // [gate | up], as one product gives them
        Random random = new Random(columns);
        MemorySegment rows = MemorySegment.ofArray(new byte[tokens * stride * input.bytes()]);
        float[] x = new float[tokens * stride];
        for (int i = 0; i < x.length; i++) {
            x[i] = Float.float16ToFloat(
                    Float.floatToFloat16((float) random.nextGaussian() * (random.nextInt(50) == 0 ? 8 : 1)));
            if (input == NormQuantizer.Input.F16) {
                rows.setAtIndex(DeviceRun.HALF, i, Float.floatToFloat16(x[i]));
            } else {
                x[i] *= 1.0001f;
                rows.setAtIndex(DeviceRun.FLOAT, i, x[i]);
            }
        }
        ColumnOrder order = ordered ? ColumnOrder.of(SparseOperands.shuffled(columns, random)) : null;
        for (Schedule schedule : new Schedule[] {Schedule.GREEDY, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    InputOrder loaded = order == null ? null : InputOrder.upload(order, run.device(), run.stream());
                    HadamardQuantizer kernel =
                            new HadamardQuantizer(run.device(), run.stream(), input, layout, transform, width);
                    GpuMemory from = run.upload(rows);
                    GpuMemory codes = run.device().allocate((long) tokens * layout.rowBytes(columns));
                    GpuMemory scales = run.device().allocate(4L * tokens)) {
                kernel.quantize(
                        run.stream(),
                        quantizer,
                        gate ? new Rows(from, 0, stride) : null,
                        new Rows(from, gate ? columns : 0, stride),
                        tokens,
                        loaded,
                        codes,
                        scales);
                MemorySegment expected = MemorySegment.ofArray(new byte[tokens * layout.rowBytes(columns)]);
                ScalarHadamardQuantizer twin =
                        new ScalarHadamardQuantizer(transform, width, new ScalarNormQuantizer(quantizer, layout));
                MemorySegment found = run.download(scales);
                for (int token = 0; token < tokens; token++) {
                    int first = token * stride;
                    float scale = twin.quantize(
                            gate ? Arrays.copyOfRange(x, first, first + columns) : null,
                            Arrays.copyOfRange(x, first + stride - columns, first + stride),
                            order,
                            expected,
                            (long) token * layout.rowBytes(columns));
                    assertThat(found.getAtIndex(DeviceRun.FLOAT, token))
                            .as("scale of token %d", token)
                            .isEqualTo(scale);
                }
                assertThat(run.download(codes).toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(expected.toArray(ValueLayout.JAVA_BYTE));
                if (columns % 8 == 0) {
                    checkCounters(run.counters(), input == NormQuantizer.Input.F16, ordered);
                }
            }
        }
    }

    /**
     * Every sector is fully used, but for floats: a thread takes 8 in two halves, the second of them from L1. What two neighbours take of the
     * matrix lies in one sector or in two. Segments of one or two columns meet in banks, and so do codes in another order.
     */
    private static void checkCounters(LaunchCounters counters, boolean halves, boolean ordered) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat(counters.sharedWavefronts())
                .as(worst)
                .isLessThanOrEqualTo(counters.idealSharedWavefronts() * (ordered ? 20 : 11) / 10);
        assertThat(counters.globalStoreSectors()).as(worst).isEqualTo(counters.idealGlobalStoreSectors());
        assertThat(counters.globalLoadSectors())
                .as(worst)
                .isLessThanOrEqualTo(counters.idealGlobalLoadSectors() * (halves ? 11 : 20) / 10);
    }

    /** Twice the transform's transpose is the identity: a code of many bits of an impulse shows its column of H x S. */
    @ParameterizedTest
    @CsvSource({"64", "576", "11008"})
    void anImpulseBecomesAColumnOfTheMatrix(int n) {
        HadamardTransform transform = HadamardTransform.of(n).orElseThrow();
        int order = transform.factor().order();
        int segment = n / order;
        int at = n / 3;
        float[] x = new float[n];
        x[at] = (float) Math.sqrt(n);
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                HadamardQuantizer kernel = new HadamardQuantizer(
                        run.device(), run.stream(), NormQuantizer.Input.F32, TokenLayout.INT4, transform, 1);
                GpuMemory from = run.upload(MemorySegment.ofArray(x));
                GpuMemory codes = run.device().allocate(TokenLayout.INT4.rowBytes(n));
                GpuMemory scales = run.device().allocate(4)) {
            kernel.quantize(
                    run.stream(), new ActivationQuantizer(4, 1), null, Rows.of(from, n), 1, null, codes, scales);
            MemorySegment found = run.download(codes);
            assertThat((double) run.download(scales).get(DeviceRun.FLOAT, 0)).isCloseTo(1 / 7.0, offset(1e-4));
            for (int row = 0; row < n; row++) {
                int sylvester = Integer.bitCount(row % segment & at % segment) % 2 == 0 ? 1 : -1;
                int code = found.get(ValueLayout.JAVA_BYTE, row / 2) << 28 - row % 2 * 4 >> 28;
                assertThat(code)
                        .as("row %d", row)
                        .isEqualTo(7 * sylvester * transform.factor().at(row / segment, at / segment));
            }
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN)) {
            assertThatThrownBy(() -> new HadamardQuantizer(
                            run.device(),
                            run.stream(),
                            NormQuantizer.Input.F16,
                            TokenLayout.INT4,
                            HadamardTransform.of(18944).orElseThrow(),
                            1))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("18944 times 1 columns");
            HadamardQuantizer kernel = new HadamardQuantizer(
                    run.device(),
                    run.stream(),
                    NormQuantizer.Input.F16,
                    TokenLayout.INT4,
                    HadamardTransform.of(128).orElseThrow(),
                    1);
            GpuMemory some = run.device().allocate(512);
            ActivationQuantizer four = new ActivationQuantizer(4, 0);
            assertThatThrownBy(() -> kernel.quantize(run.stream(), four, null, Rows.of(some, 128), 3, null, some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("activations has 512 bytes, but 768 are needed");
            assertThatThrownBy(() ->
                            kernel.quantize(run.stream(), four, null, new Rows(some, 4, 128), 1, null, some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("begin at a multiple of 8");
            kernel.close();
        }
    }
}
