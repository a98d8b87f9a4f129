package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RMS norm and codes, run instruction by instruction: codes and scales equal those of the scalar twin to the bit. */
class NormQuantizerTest {
    @ParameterizedTest
    @CsvSource({
        // input, layout, bits, clip, columns, tokens, norm, ordered
        "F16, INT4, 4, 0,       8, 1, true, true",
        "F32, INT4, 4, 0,     136, 3, true, true",
        "F16, INT4, 4, 0,    4096, 2, true, true",
        "F32, INT4, 4, 0.8,   576, 3, false, false",
        "F16, INT8, 4, 0,     576, 3, true, true",
        "F32, INT8, 4, 0,    2048, 2, false, false",
        "F16, INT8, 8, 1,    4096, 2, true, true",
        "F32, INT8, 8, 0,     200, 3, true, true",
        "F16, INT4, 4, 0,    8200, 1, true, false",
        "F32, INT8, 8, 1,   11008, 1, false, false",
        "F16, INT8, 4, 0.5, 32768, 1, true, true",
        "F16, INT4, 4, 0,    1024, 2, false, false",
    })
    void codesAndScalesEqualThoseOfTheTwin(
            NormQuantizer.Input input,
            TokenLayout layout,
            int bits,
            float clip,
            int columns,
            int tokens,
            boolean norm,
            boolean ordered) {
        ActivationQuantizer quantizer = new ActivationQuantizer(bits, clip);
        Random random = new Random(columns);
        float[] weight = new float[columns];
        float[] x = new float[tokens * columns];
        for (int c = 0; c < columns; c++) {
            weight[c] = random.nextFloat() + 0.5f;
        }
        MemorySegment rows = MemorySegment.ofArray(new byte[x.length * input.bytes()]);
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
                    NormQuantizer kernel = new NormQuantizer(run.device(), input, layout);
                    GpuMemory from = run.upload(rows);
                    GpuMemory factors = run.upload(MemorySegment.ofArray(weight));
                    GpuMemory codes = run.device().allocate((long) tokens * layout.rowBytes(columns));
                    GpuMemory scales = run.device().allocate(4L * tokens)) {
                kernel.quantize(
                        run.stream(),
                        quantizer,
                        from,
                        norm ? factors : null,
                        1e-5f,
                        tokens,
                        columns,
                        loaded,
                        codes,
                        scales);
                MemorySegment expected = MemorySegment.ofArray(new byte[tokens * layout.rowBytes(columns)]);
                MemorySegment found = run.download(scales);
                for (int token = 0; token < tokens; token++) {
                    float[] h = Arrays.copyOfRange(x, token * columns, (token + 1) * columns);
                    float scale = new ScalarNormQuantizer(quantizer, layout)
                            .quantize(
                                    h,
                                    norm ? weight : null,
                                    1e-5f,
                                    order,
                                    expected,
                                    (long) token * layout.rowBytes(columns));
                    assertThat(found.getAtIndex(DeviceRun.FLOAT, token))
                            .as("scale of token %d", token)
                            .isEqualTo(scale);
                }
                assertThat(run.download(codes).toArray(ValueLayout.JAVA_BYTE))
                        .isEqualTo(expected.toArray(ValueLayout.JAVA_BYTE));
                checkCounters(run.counters(), input == NormQuantizer.Input.F16 && !norm, ordered);
            }
        }
    }

    /**
     * The exchange between warps has no conflicts, that between columns those of 32 bytes anywhere. Every sector is fully used, but for floats: a thread takes 8 in two halves, the
     * second of them from L1.
     */
    private static void checkCounters(LaunchCounters counters, boolean halves, boolean ordered) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat(counters.sharedWavefronts())
                .as(worst)
                .isLessThanOrEqualTo((ordered ? 4 : 1) * counters.idealSharedWavefronts());
        assertThat(counters.globalStoreSectors()).as(worst).isEqualTo(counters.idealGlobalStoreSectors());
        assertThat(counters.globalLoadSectors())
                .as(worst)
                .isLessThanOrEqualTo((halves ? 1 : 2) * counters.idealGlobalLoadSectors());
    }

    @ParameterizedTest
    @CsvSource({"NaN", "0"})
    void zerosHaveScale1AndNoNumbersNone(float value) {
        float[] x = new float[128];
        x[77] = value;
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                NormQuantizer kernel = new NormQuantizer(run.device(), NormQuantizer.Input.F32, TokenLayout.INT4);
                GpuMemory from = run.upload(MemorySegment.ofArray(x));
                GpuMemory codes = run.device().allocate(64);
                GpuMemory scales = run.device().allocate(4)) {
            kernel.quantize(run.stream(), new ActivationQuantizer(4, 0), from, null, 0, 1, 128, null, codes, scales);
            assertThat(Float.valueOf(run.download(scales).get(DeviceRun.FLOAT, 0)))
                    .isEqualTo(Float.valueOf(value == 0 ? 1 : Float.NaN));
            assertThat(run.download(codes).toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                NormQuantizer kernel = new NormQuantizer(run.device(), NormQuantizer.Input.F16, TokenLayout.INT4)) {
            GpuMemory some = run.device().allocate(256);
            ActivationQuantizer four = new ActivationQuantizer(4, 0);
            assertThatThrownBy(() -> kernel.quantize(run.stream(), four, some, null, 0, 1, 100, null, some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("1 tokens of 100 activations");
            assertThatThrownBy(() -> kernel.quantize(run.stream(), four, some, null, 0, 2, 128, null, some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("activations has 256 bytes, but 512 are needed");
            assertThatThrownBy(() -> kernel.quantize(
                            run.stream(), new ActivationQuantizer(8, 1), some, null, 0, 1, 128, null, some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("8-bit codes do not fit");
            InputOrder order = InputOrder.upload(ColumnOrder.of(1, 0), run.device(), run.stream());
            assertThatThrownBy(() -> kernel.quantize(run.stream(), four, some, null, 0, 1, 128, order, some, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("an order of 2 columns is given for 128");
        }
    }
}
