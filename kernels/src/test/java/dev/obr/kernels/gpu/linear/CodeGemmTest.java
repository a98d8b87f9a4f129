package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.EmulationException;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of codes and half floats, run instruction by instruction: exact where every sum is, and near the truth elsewhere. */
class CodeGemmTest {
    @ParameterizedTest
    @CsvSource({
        // bits, tile, features, columns, tokens
        "8, NARROW,  32,   64,  8",
        "8, NARROW,   1,   16,  1",
        "8, NARROW,  67,  592, 11",
        "8, NARROW,  32, 2112,  1",
        "8, WIDE,    40,  576, 33",
        "8, WIDE,    32, 1040,  9",
        "4, NARROW,  32,   64,  8",
        "4, NARROW,   3,   48,  2",
        "4, NARROW,  67,  592, 11",
        "4, WIDE,    40,  576, 33",
    })
    void productsAreNearTheTruth(int bits, CodeGemm.Tile tile, int features, int columns, int tokens) {
        check(bits, tile, features, columns, tokens, true);
        check(bits, tile, features, columns, tokens, false);
    }

    private static void check(int bits, CodeGemm.Tile tile, int features, int columns, int tokens, boolean exact) {
        Product product = Product.random(bits, features, columns, tokens, exact);
        for (Schedule schedule : new Schedule[] {Schedule.ROUND_ROBIN, Schedule.REVERSED}) {
            try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, schedule);
                    CodeGemm gemm = new CodeGemm(run.device(), bits)) {
                assertThat(product.worst(run, gemm, tile))
                        .as("%s: worst error, in terms' size", schedule)
                        .isLessThanOrEqualTo(exact ? 0 : 0x1p-20);
                checkCounters(run.counters(), features, columns);
            }
        }
    }

    /** No bank conflicts. Sectors of codes and results are fully used where they begin with a row; those of tokens come in halves, the second from L1. */
    private static void checkCounters(LaunchCounters counters, int features, int columns) {
        String worst = "the worst lines: " + counters.worst(4);
        assertThat(counters.sharedWavefronts()).as(worst).isEqualTo(counters.idealSharedWavefronts());
        if (features % 8 == 0) {
            assertThat(counters.globalStoreSectors()).as(worst).isEqualTo(counters.idealGlobalStoreSectors());
        }
        if (columns % 64 == 0) {
            assertThat(counters.globalLoadSectors())
                    .as(worst)
                    .isLessThanOrEqualTo(2 * counters.idealGlobalLoadSectors());
        }
    }

    /**
     * One product.
     *
     * @param codes [features · columns]
     * @param x [tokens · columns], half floats
     */
    private record Product(PackedMatrix weight, byte[] codes, float[] scales, short[] x, int tokens) {
        /** Every code of 8 bits occurs; those of x are whole numbers of up to 2 where all sums are to be exact, and scales then powers of two. */
        static Product random(int bits, int features, int columns, int tokens, boolean exact) {
            Random random = new Random(31L * features + columns);
            byte[] codes = new byte[features * columns];
            for (int i = 0; i < codes.length; i++) {
                codes[i] = (byte) (random.nextInt() << 32 - bits >> 32 - bits);
            }
            float[] scales = new float[features];
            for (int feature = 0; feature < features; feature++) {
                scales[feature] = exact ? Math.scalb(1f, -random.nextInt(9)) : (random.nextFloat() + 0.5f) / 100;
            }
            short[] x = new short[tokens * columns];
            for (int i = 0; i < x.length; i++) {
                x[i] = Float.floatToFloat16(exact ? random.nextInt(-2, 3) : (float) random.nextGaussian());
            }
            PackedMatrix weight = Packing.pack(Pattern.DENSE, bits, features, columns, codes, new boolean[0], scales);
            return new Product(weight, codes, scales, x, tokens);
        }

        /** The largest error, each in units of the size of its terms. */
        double worst(DeviceRun run, CodeGemm gemm, CodeGemm.Tile tile) {
            int features = scales.length;
            int columns = weight.cols();
            try (CodeWeights w = CodeWeights.upload(weight, run.device(), run.stream());
                    GpuMemory rows = run.upload(MemorySegment.ofArray(x));
                    GpuMemory y = run.device().allocate(4L * tokens * features)) {
                gemm.multiply(run.stream(), tile, w, rows, tokens, y);
                float[] results = run.download(y).toArray(DeviceRun.FLOAT);
                double worst = 0;
                for (int token = 0; token < tokens; token++) {
                    for (int feature = 0; feature < features; feature++) {
                        double truth = 0;
                        double size = 0;
                        for (int c = 0; c < columns; c++) {
                            double term = codes[feature * columns + c]
                                    * (double) Float.float16ToFloat(x[token * columns + c])
                                    * scales[feature];
                            truth += term;
                            size += Math.abs(term);
                        }
                        double error = Math.abs(results[token * features + feature] - truth);
                        worst = Math.max(worst, size == 0 ? error : error / size);
                    }
                }
                return worst;
            }
        }
    }

    /** With one thing wrong the emulator stops it, or results differ. */
    @ParameterizedTest
    @CsvSource({
        "8, 'bar\\.sync\\s+0;', ''",
        "8, ', 16704;', ', 16705;'", // the first byte twice
        "8, ', -2139062144;', ', -2139062143;'",
        "4, ', 1678271496;', ', 1678271495;'",
        "4, ', 30258;', ', 21520;'", // tokens' pairs
    })
    void aWrongKernelIsFound(int bits, String written, String instead) {
        Product product = Product.random(bits, 32, 640, 3, true);
        String ptx = KernelModule.GEMM_CODES.ptx();
        String wrong = ptx.replaceAll(written, instead);
        assertThat(wrong).isNotEqualTo(ptx);
        assertThat(passes(product, bits, ptx)).isTrue();
        assertThat(passes(product, bits, wrong)).isFalse();
    }

    private static boolean passes(Product product, int bits, String ptx) {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                CodeGemm gemm = new CodeGemm(bits, run.device().load("mutant.ptx", ptx))) {
            return product.worst(run, gemm, CodeGemm.Tile.NARROW) == 0;
        } catch (EmulationException found) {
            return false;
        }
    }

    @Test
    void argumentsThatDoNotFitAreSentences() {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_90, Schedule.ROUND_ROBIN);
                CodeGemm gemm = new CodeGemm(run.device(), 8)) {
            GpuMemory some = run.device().allocate(1024);
            CodeWeights w = new CodeWeights(8, 32, 16, some, 512);
            assertThatThrownBy(() -> gemm.multiply(run.stream(), w, some, 0, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("0 tokens");
            assertThatThrownBy(() -> gemm.multiply(run.stream(), w, some, 9, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("results has 1024 bytes, but 1152 are needed");
            assertThatThrownBy(() -> gemm.multiply(run.stream(), new CodeWeights(4, 32, 16, some, 512), some, 1, some))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("codes of 4 bits");
            PackedMatrix odd = Packing.pack(Pattern.DENSE, 8, 1, 24, new byte[24], new boolean[0], new float[1]);
            assertThatThrownBy(() -> CodeWeights.upload(odd, run.device(), run.stream()))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("24 input channels");
        }
    }
}
