package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.attention.KvAppender;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.kernels.gpu.attention.ScalarKvAppend;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Queries, keys and values of some tokens: the first half stand in slot 1 behind what is there, the others in slot 0.
 *
 * @param normed whether heads of queries and keys are normalised
 */
record KvAppendCase(int headDim, int heads, int kvHeads, int tokens, boolean hadamard, boolean normed, Extent extent)
        implements KernelCase {
    private static final byte BEFORE = 0x5a; // what the cache holds
    private static final int FIRST = 5; // position in slot 1
    private static final float EPS = 1e-6f;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.KV_APPEND,
                List.of(
                        new KvAppendCase(8, 3, 3, 4, true, true, QUICK),
                        new KvAppendCase(64, 9, 3, 5, true, true, QUICK),
                        new KvAppendCase(128, 8, 2, 2, false, false, QUICK),
                        new KvAppendCase(8, 8, 4, 5, false, true, USUAL),
                        new KvAppendCase(32, 6, 2, 5, true, true, USUAL),
                        new KvAppendCase(32, 1, 1, 1, false, false, USUAL),
                        new KvAppendCase(64, 4, 4, 3, false, true, USUAL),
                        new KvAppendCase(128, 8, 1, 5, true, true, USUAL),
                        new KvAppendCase(128, 32, 8, 300, true, false, DEVICE)));
    }

    private int capacity() {
        return Math.ceilDiv(FIRST + tokens, 8) * 8;
    }

    private int slot(int token) {
        return token < (tokens + 1) / 2 ? 1 : 0;
    }

    private int position(int token) {
        return slot(token) == 1 ? FIRST + token : token - (tokens + 1) / 2;
    }

    @Override
    public Comparison run(DeviceData data) {
        int vectors = heads + 2 * kvHeads; // q, k and v are columns of one product
        int width = vectors * headDim;
        Activations x = Activations.random(NormQuantizer.Input.F16, tokens * width, new Random(width));
        for (int i = 0; i < headDim; i++) { // token 0: a value of zeros, a key of the largest
            x.set(NormQuantizer.Input.F16, (heads + kvHeads) * headDim + i, 0);
            x.set(NormQuantizer.Input.F16, heads * headDim + i, 65504 * (i % 2 * 2 - 1));
        }
        float[] rotations = rotations();
        float[][] norms = {norm(1), norm(2)};
        int[] places = new int[2 * tokens];
        for (int token = 0; token < tokens; token++) {
            places[2 * token] = slot(token);
            places[2 * token + 1] = position(token);
        }
        try (KvAppender kernel = new KvAppender(data.device(), headDim);
                KvCodeCache cache = new KvCodeCache(data.device(), 2, kvHeads, headDim, capacity())) {
            for (boolean values : new boolean[] {false, true}) {
                data.stream().fill(cache.codes(values), 0, cache.codes(values).byteSize(), BEFORE);
                data.stream().fill(cache.steps(values), 0, cache.steps(values).byteSize(), BEFORE);
            }
            GpuMemory product = data.upload(x.bytes());
            KvAppender.HeadNorms weights = new KvAppender.HeadNorms(
                    data.upload(MemorySegment.ofArray(norms[0])), data.upload(MemorySegment.ofArray(norms[1])), EPS);
            GpuMemory queries = data.results(4L * tokens * heads * headDim);
            kernel.append(
                    data.stream(),
                    new Rows(product, 0, width),
                    new Rows(product, (long) heads * headDim, width),
                    new Rows(product, (long) (heads + kvHeads) * headDim, width),
                    normed ? weights : null,
                    data.upload(MemorySegment.ofArray(rotations)),
                    hadamard,
                    data.upload(MemorySegment.ofArray(places)),
                    tokens,
                    heads,
                    queries,
                    cache);
            return compare(data, cache, data.download(queries), x.values(), norms, rotations);
        }
    }

    private Comparison compare(
            DeviceData data, KvCodeCache cache, MemorySegment queries, float[] x, float[][] norms, float[] rotations) {
        float[] expected = new float[tokens * heads * headDim];
        byte[][] codes = new byte[2][(int) cache.codes(false).byteSize()];
        byte[][] steps = new byte[2][(int) cache.steps(false).byteSize()];
        for (int kind = 0; kind < 2; kind++) {
            Arrays.fill(codes[kind], BEFORE);
            Arrays.fill(steps[kind], BEFORE);
        }
        ScalarKvAppend twin = new ScalarKvAppend(headDim, hadamard);
        int vectors = heads + 2 * kvHeads;
        for (int i = 0; i < tokens * vectors; i++) {
            int token = i / vectors;
            int head = i % vectors;
            int position = position(token);
            float[] vector = Arrays.copyOfRange(x, i * headDim, (i + 1) * headDim);
            if (head < heads + kvHeads) {
                if (normed) {
                    twin.normalise(vector, norms[head < heads ? 0 : 1], EPS);
                }
                twin.rotate(vector, Arrays.copyOfRange(rotations, position * headDim, (position + 1) * headDim));
            }
            if (head < heads) {
                System.arraycopy(vector, 0, expected, (token * heads + head) * headDim, headDim);
                continue;
            }
            byte[] bytes = new byte[headDim / 2 + 4];
            twin.code(vector, MemorySegment.ofArray(bytes));
            int kind = head < heads + kvHeads ? 0 : 1;
            int row = (int) cache.row(slot(token), (head - heads) % kvHeads, position);
            System.arraycopy(bytes, 0, codes[kind], row * headDim / 2, headDim / 2);
            System.arraycopy(bytes, headDim / 2, steps[kind], row * 4, 4);
        }
        Comparison all = Comparison.equal(
                        expected.length,
                        i -> queries.getAtIndex(DeviceData.FLOAT, i),
                        i -> expected[i],
                        i -> "the query of token " + i / (heads * headDim) + ", element " + i % (heads * headDim))
                .and(DeviceData.guard(queries));
        for (int kind = 0; kind < 2; kind++) {
            String of = kind == 0 ? "the keys'" : "the values'";
            all = all.and(bytes(of + " codes", codes[kind], data.download(cache.codes(kind == 1))))
                    .and(bytes(of + " steps", steps[kind], data.download(cache.steps(kind == 1))));
        }
        return all;
    }

    private static Comparison bytes(String what, byte[] expected, MemorySegment found) {
        return Comparison.equal(
                expected.length,
                i -> found.get(ValueLayout.JAVA_BYTE, i) & 255,
                i -> expected[i] & 255,
                i -> "byte " + i + " of " + what);
    }

    private float[] norm(int seed) {
        Random random = new Random(seed);
        float[] weights = new float[headDim];
        for (int i = 0; i < headDim; i++) {
            weights[i] = random.nextFloat() + 0.5f;
        }
        return weights;
    }

    private float[] rotations() {
        float[] rotations = new float[capacity() * headDim];
        for (int position = 0; position < capacity(); position++) {
            for (int i = 0; i < headDim / 2; i++) {
                double angle = position * Math.pow(10000, -2.0 * i / headDim);
                rotations[position * headDim + i] = (float) Math.cos(angle);
                rotations[position * headDim + headDim / 2 + i] = (float) Math.sin(angle);
            }
        }
        return rotations;
    }

    @Override
    public String toString() {
        return heads + " query and " + kvHeads + " KV heads of " + headDim + " components, tokens: " + tokens
                + (hadamard ? ", with transform" : "") + (normed ? ", with norms" : "");
    }
}
