package dev.obr.runtime.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.CpuKernelsProvider;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Precision.KvScheme;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention over a cache of codes is the same to the last bit for any threads and chunks of a prompt, and what a cache of the floats that codes stand for gives. */
class CodeAttentionTest {
    private static final int LAYERS = 2;
    private static final int KV_HEADS = 2;
    private static final int GROUP = 3;
    private static final int HEAD_DIM = 24;
    private static final int POSITIONS = 601; // three blocks; fills no tile
    private static final int COMPARED = 590; // outputs from this position on are
    private static final Precision SIMULATED = new Precision(null, true, KvScheme.HEAD);
    private static final ModelConfig CONFIG = new ModelConfig(
            "llama",
            144,
            8,
            LAYERS,
            KV_HEADS * GROUP,
            KV_HEADS,
            HEAD_DIM,
            8,
            1024,
            1e-5f,
            1e4f,
            null,
            false,
            0,
            List.of());

    /** Queries, keys and values of all positions, the same each time. */
    private static final float[][] INPUTS = {
        random(GROUP * KV_HEADS * HEAD_DIM), random(KV_HEADS * HEAD_DIM), random(KV_HEADS * HEAD_DIM)
    };

    private static float[] random(int cols) {
        Random random = new Random(cols);
        float[] x = new float[POSITIONS * cols];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian() * (i % 50 == 0 ? 5 : 1);
        }
        return x;
    }

    static Stream<String> kernels() {
        return Stream.of("scalar", "vector", "native");
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void threadsAndChunksDoNotMatter(String name) {
        for (KvType type : new KvType[] {KvType.INT4, KvType.INT8}) {
            float[] outputs = run(kernels(name), 1, type, Precision.FLOAT, 50);
            for (int threads : new int[] {1, 2, 3}) {
                for (int chunk : new int[] {1, 37, POSITIONS}) {
                    if (chunk == 37 || name.equals("native")) { // the others would take long
                        float[] others = run(kernels(name), threads, type, Precision.FLOAT, chunk);
                        assertThat(Arrays.equals(others, outputs))
                                .as("%s, %d threads, %d tokens at a time", type, threads, chunk)
                                .isTrue();
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"INT4", "INT8"})
    void codesStandForFloats(KvType type) {
        CpuKernels kernels = kernels("native");
        float[] floats = run(kernels, 2, type, SIMULATED, 97);
        float[] codes = run(kernels, 2, type, Precision.FLOAT, 97);
        double squares = 0;
        double errors = 0;
        for (int i = 0; i < floats.length; i++) {
            squares += floats[i] * floats[i];
            errors += Math.pow(codes[i] - floats[i], 2);
        }
        assertThat(Math.sqrt(errors / squares)).isLessThan(4e-4);
    }

    /** Outputs of the last positions in the last layer, [positions - COMPARED, heads · headDim]. The first chunk is appended twice, with a cut between. */
    private static float[] run(CpuKernels kernels, int threads, KvType type, Precision precision, int chunk) {
        int limit = POSITIONS + 2;
        float[] out = new float[INPUTS[0].length / POSITIONS * (POSITIONS - COMPARED)];
        try (CpuBackend backend = new CpuBackend(kernels, "", threads, precision);
                Arena arena = Arena.ofConfined();
                KvCache cache = backend.newCache(CONFIG, type, limit)) {
            step(backend, arena, cache, 0, Math.min(chunk, POSITIONS), out);
            cache.truncate(cache.length() / 2);
            while (cache.length() < POSITIONS) {
                step(backend, arena, cache, cache.length(), Math.min(chunk, POSITIONS - cache.length()), out);
            }
        }
        return out;
    }

    private static void step(CpuBackend backend, Arena arena, KvCache cache, int position, int tokens, float[] out) {
        Tensor[] qkv = new Tensor[3];
        for (int i = 0; i < 3; i++) {
            int cols = INPUTS[i].length / POSITIONS;
            MemorySegment x = arena.allocate(4L * tokens * cols, 64);
            MemorySegment.copy(INPUTS[i], position * cols, x, ValueLayout.JAVA_FLOAT, 0, tokens * cols);
            qkv[i] = backend.tensor(tokens, cols);
            backend.write(x, qkv[i]);
        }
        Tensor y = backend.tensor(tokens, qkv[0].cols());
        for (int layer = 0; layer < LAYERS; layer++) {
            backend.append(cache, layer, qkv[1], qkv[2]);
            if (position + tokens > COMPARED) {
                backend.attention(qkv[0], cache, layer, y);
            }
        }
        cache.advance(tokens);
        float[] row = new float[y.cols()];
        for (int t = Math.max(0, COMPARED - position); t < tokens; t++) {
            backend.read(y, t, row);
            System.arraycopy(row, 0, out, (position + t - COMPARED) * row.length, row.length);
        }
    }

    private static CpuKernels kernels(String name) {
        CpuKernelsProvider.Choice best = CpuKernelsProvider.choose("auto", System.getenv());
        Assumptions.assumeTrue(!name.equals("native") || best.kernels().name().equals("native"), best.reason());
        return CpuKernelsProvider.choose(name, System.getenv()).kernels();
    }
}
