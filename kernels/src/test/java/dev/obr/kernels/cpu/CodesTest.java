package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What attention over codes promises beyond the right numbers: codes are the quantizer's to the last bit, and results do not depend on how the work is cut. */
class CodesTest {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final byte BEFORE = 0x55;

    /** Heads of every kind, the same each time. */
    private static float[][] heads(int headDim) {
        Random random = new Random(7);
        List<float[]> heads = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            float[] x = new float[headDim];
            for (int d = 0; d < headDim; d++) {
                x[d] = (float) Math.scalb(random.nextGaussian() + i % 3, i % 5 * 7 - 20);
            }
            heads.add(x);
        }
        float[] half = new float[headDim]; // every value lies between two codes
        for (int d = 0; d < headDim; d++) {
            half[d] = d % 15 + 0.5f;
        }
        half[1] = 15;
        heads.add(half);
        heads.add(new float[headDim]);
        for (float extreme : new float[] {Float.MAX_VALUE, -1e30f, 1e-9f, Float.MIN_VALUE, -0f, 65519 * 15f}) {
            float[] x = new float[headDim];
            x[headDim / 2] = extreme;
            heads.add(x);
            float[] both = x.clone();
            both[0] = -extreme;
            heads.add(both);
        }
        return heads.toArray(float[][]::new);
    }

    @ParameterizedTest
    @EnumSource(Twins.class)
    void codesAreTheQuantizers(Twins twin) {
        CpuKernels kernels = twin.get();
        for (int bits : new int[] {4, 8}) {
            for (int headDim : new int[] {2, 6, 20, 64}) {
                KvTiles tiles = new KvTiles(new KvQuantizer(bits, headDim));
                float[][] heads = heads(headDim);
                for (boolean values : new boolean[] {false, true}) {
                    codesAreTheQuantizers(kernels, tiles, heads, values);
                }
            }
        }
    }

    /** Tokens of two heads each, from position 3 on. */
    private static void codesAreTheQuantizers(CpuKernels kernels, KvTiles tiles, float[][] heads, boolean values) {
        int headDim = tiles.headDim();
        int tokens = heads.length / 2;
        int stride = 2 * headDim + 1;
        int position = 3;
        long headBytes = tiles.bytes(position + tokens);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(FLOAT, (long) tokens * stride);
            MemorySegment memory = arena.allocate(2 * headBytes, 64).fill(BEFORE);
            for (int i = 0; i < 2 * tokens; i++) {
                MemorySegment.copy(heads[i], 0, x, FLOAT, 4L * (i / 2 * stride + i % 2 * headDim), headDim);
            }
            kernels.storeCodes(tiles, values, x, stride, tokens, 2, memory, headBytes, position);
            for (int i = 0; i < 2 * tokens; i++) {
                KvQuantizer quantizer = tiles.quantizer();
                byte[] expected = new byte[quantizer.byteSize()];
                quantizer.store(heads[i].clone(), 0, MemorySegment.ofArray(expected), 0);
                byte[] row = new byte[quantizer.byteSize()];
                tiles.get(memory.asSlice(i % 2 * headBytes), values, position + i / 2, MemorySegment.ofArray(row));
                assertThat(row)
                        .as("%s, %s, head %s", tiles, values ? "values" : "keys", i)
                        .isEqualTo(expected);
            }
            MemorySegment before =
                    MemorySegment.ofArray(new byte[tiles.quantizer().byteSize()]);
            tiles.get(memory, values, position - 1, before);
            assertThat(before.get(ValueLayout.JAVA_BYTE, 0))
                    .as("the position before")
                    .isEqualTo(BEFORE);
        }
    }

    @ParameterizedTest
    @EnumSource(Twins.class)
    void noNumberIsNotHidden(Twins twin) {
        for (int where = 0; where < 3; where++) { // in a query, a key, a value
            for (int bits : new int[] {4, 8}) {
                Step step = new Step(bits, 24, 2, 40);
                step.inputs[where][step.inputs[where].length - 2 * 24] = Float.NaN; // the first head of the last query
                assertThat(step.run(twin.get(), 40, 1, 40)[0]).isNaN();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Twins.class)
    void resultsDoNotDependOnHowTheWorkIsCut(Twins twin) {
        for (int bits : new int[] {4, 8}) {
            Step step = new Step(bits, 40, 3, 1100);
            int tokens = 60;
            float[] whole = step.run(twin.get(), 1100, tokens, 1100);
            float[] blocks = step.run(twin.get(), 1100, tokens, KvTiles.BLOCK);
            assertThat(blocks).isEqualTo(whole);
            for (int t = 0; t < tokens; t += 13) {
                float[] alone = step.run(twin.get(), 1100 - tokens + 1 + t, 1, KvTiles.BLOCK);
                int n = 3 * 40;
                assertThat(alone).isEqualTo(Arrays.copyOfRange(whole, t * n, (t + 1) * n));
            }
        }
    }

    /** Attention whose last tokens are computed. */
    private static final class Step {
        private final KvTiles tiles;
        private final int headDim;
        private final int group;
        private final float[][] inputs; // queries [positions, group, headDim], keys and values [positions, headDim]

        Step(int bits, int headDim, int group, int positions) {
            this.tiles = new KvTiles(new KvQuantizer(bits, headDim));
            this.headDim = headDim;
            this.group = group;
            Random random = new Random(3);
            int n = positions * headDim;
            this.inputs = new float[][] {new float[n * group], new float[n], new float[n]};
            for (float[] input : inputs) {
                for (int i = 0; i < input.length; i++) {
                    input[i] = (float) random.nextGaussian();
                }
            }
        }

        /** The last {@code tokens} of so many positions, in spans of {@code span} positions. */
        float[] run(CpuKernels kernels, int positions, int tokens, int span) {
            try (Arena arena = Arena.ofConfined()) {
                int size = group * headDim;
                MemorySegment q = arena.allocate(4L * tokens * size);
                MemorySegment.copy(inputs[0], (positions - tokens) * size, q, FLOAT, 0, tokens * size);
                MemorySegment keys = arena.allocate(tiles.bytes(positions), 64);
                MemorySegment values = arena.allocate(tiles.bytes(positions), 64);
                MemorySegment k = arena.allocateFrom(FLOAT, inputs[1]);
                MemorySegment v = arena.allocateFrom(FLOAT, inputs[2]);
                kernels.storeCodes(tiles, false, k, headDim, positions, 1, keys, 0, 0);
                kernels.storeCodes(tiles, true, v, headDim, positions, 1, values, 0, 0);
                int spans = (positions + span - 1) / span;
                long spanBytes = 4L * tokens * group * (headDim + 2);
                MemorySegment results = arena.allocate(spans * spanBytes);
                int seen = positions - tokens + 1;
                for (int s = 0; s < spans; s++) {
                    int to = Math.min(positions, (s + 1) * span);
                    MemorySegment result = results.asSlice(s * spanBytes);
                    kernels.attendCodes(tiles, q, tokens, group, size, keys, values, seen, s * span, to, 0.3f, result);
                }
                MemorySegment out = arena.allocate(4L * tokens * size);
                kernels.mergeAttention(results, spans, tokens, group, headDim, out, size);
                return out.toArray(FLOAT);
            }
        }
    }
}
