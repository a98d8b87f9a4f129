package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of half floats, run instruction by instruction: exact where every sum is, and near the truth elsewhere. */
class HalfGemmTest {
    @ParameterizedTest
    @CsvSource({
        // tile, output, features, columns, tokens
        "SMALL,  F32,  64,   32,   1",
        "SMALL,  F32, 100,  328,   3",
        "SMALL,  F16, 136,   72,  17",
        "SMALL,  F16,   4,    8,   1",
        "SQUARE, F32, 132,  200, 131",
        "SQUARE, F16, 120,  136, 129",
    })
    void productsAreNearTheTruth(HalfGemm.Tile tile, HalfGemm.Output output, int features, int columns, int tokens) {
        Random random = new Random(features + columns);
        // sums of up to 328 * 64 are exact as float32, and those below 2048 as fp16
        check(tile, output, features, columns, tokens, () -> random.nextInt(-2, 3), 0);
        check(tile, output, features, columns, tokens, random::nextGaussian, 0x1p-20);
    }

    private static void check(
            HalfGemm.Tile tile,
            HalfGemm.Output output,
            int features,
            int columns,
            int tokens,
            DoubleSupplier values,
            double error) {
        short[] w = halves(features * columns, values);
        short[] x = halves(tokens * columns, values);
        for (Schedule schedule : new Schedule[] {Schedule.ROUND_ROBIN, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    HalfGemm gemm = new HalfGemm(run.device(), output)) {
                GpuMemory y = run.device().allocate((output == HalfGemm.Output.F16 ? 2L : 4L) * tokens * features);
                GpuMemory weights = run.upload(MemorySegment.ofArray(w));
                GpuMemory rows = run.upload(MemorySegment.ofArray(x));
                gemm.multiply(run.stream(), tile, weights, rows, tokens, features, columns, y);
                MemorySegment results = run.download(y);
                for (int token = 0; token < tokens; token++) {
                    for (int feature = 0; feature < features; feature++) {
                        double truth = 0;
                        double size = 0;
                        for (int c = 0; c < columns; c++) {
                            double product = (double) Float.float16ToFloat(w[feature * columns + c])
                                    * Float.float16ToFloat(x[token * columns + c]);
                            truth += product;
                            size += Math.abs(product);
                        }
                        int at = token * features + feature;
                        float found = output == HalfGemm.Output.F32
                                ? results.getAtIndex(DeviceRun.FLOAT, at)
                                : Float.float16ToFloat(results.getAtIndex(DeviceRun.HALF, at));
                        double rounding = output == HalfGemm.Output.F16 ? Math.abs(truth) * 0x1p-11 + 0x1p-25 : 0;
                        assertThat(Math.abs(found - truth))
                                .as("%s: off the truth %g of token %d, feature %d", schedule, truth, token, feature)
                                .isLessThanOrEqualTo(size * error + (error == 0 ? 0 : rounding));
                    }
                }
                checkCounters(run.counters(), features, columns, output);
            }
        }
    }

    /** Bank conflicts and unused bytes of sectors stay below a tenth; the latter where rows begin with a sector. */
    private static void checkCounters(LaunchCounters counters, int features, int columns, HalfGemm.Output output) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat((double) counters.sharedWavefronts())
                .as("wavefronts; %s", worst)
                .isLessThanOrEqualTo(1.1 * counters.idealSharedWavefronts());
        if (columns % 32 == 0) {
            assertThat((double) counters.globalLoadSectors())
                    .as("loaded sectors; %s", worst)
                    .isLessThanOrEqualTo(1.1 * counters.idealGlobalLoadSectors());
        }
        if (features % (output == HalfGemm.Output.F16 ? 16 : 8) == 0) {
            assertThat((double) counters.globalStoreSectors())
                    .as("stored sectors; %s", worst)
                    .isLessThanOrEqualTo(1.1 * counters.idealGlobalStoreSectors());
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_90, Schedule.ROUND_ROBIN);
                HalfGemm gemm = new HalfGemm(run.device(), HalfGemm.Output.F32)) {
            GpuMemory some = run.device().allocate(1024);
            assertThatThrownBy(() -> gemm.multiply(run.stream(), some, some, 0, 8, 8, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("0 tokens");
            assertThatThrownBy(() -> gemm.multiply(run.stream(), some, some, 1, 8, 12, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("12 input channels");
            assertThatThrownBy(() -> gemm.multiply(run.stream(), some, some, 1, 6, 8, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("6 output channels");
            assertThatThrownBy(() -> gemm.multiply(run.stream(), some, some, 1, 128, 8, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("weights has 1024 bytes, but 2048 are needed");
        }
    }

    private static short[] halves(int count, DoubleSupplier values) {
        short[] halves = new short[count];
        for (int i = 0; i < count; i++) {
            halves[i] = Float.floatToFloat16((float) values.getAsDouble());
        }
        return halves;
    }
}
