package dev.obr.kernels.gpu.check;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.kernels.gpu.attention.ScalarAttention;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;

/** Random keys and values of some sequences, which stand in the slots in reversed order, and queries of the last tokens of each. */
public final class Sequences {
    private final int headDim;
    private final int group;
    private final int kvHeads;
    private final int capacity;
    private final int[] lengths;
    private final int tokens;
    private final KvQuantizer quantizer;
    private final float[] queries; // [sequences, tokens, kvHeads * group, headDim]
    private final MemorySegment[][][] codes; // [keys, values][sequence][head], each [length][quantizer.byteSize()]

    /**
     * @param lengths positions of each sequence, the tokens' included
     * @param tokens of each sequence
     */
    public Sequences(int headDim, int group, int kvHeads, int capacity, int[] lengths, int tokens) {
        this.headDim = headDim;
        this.group = group;
        this.kvHeads = kvHeads;
        this.capacity = capacity;
        this.lengths = lengths;
        this.tokens = tokens;
        this.quantizer = new KvQuantizer(4, headDim);
        Random random = new Random(headDim * 31L + group);
        queries = new float[lengths.length * tokens * kvHeads * group * headDim];
        for (int i = 0; i < queries.length; i++) {
            queries[i] = (float) random.nextGaussian() * 2;
        }
        codes = new MemorySegment[2][lengths.length][kvHeads];
        for (MemorySegment[][] kind : codes) {
            for (int s = 0; s < lengths.length; s++) {
                for (int head = 0; head < kvHeads; head++) {
                    kind[s][head] = MemorySegment.ofArray(new byte[lengths[s] * quantizer.byteSize()]);
                    for (int p = 0; p < lengths[s]; p++) {
                        float[] x = new float[headDim];
                        float mean = (float) random.nextGaussian();
                        for (int d = 0; d < headDim; d++) {
                            x[d] = mean + (float) random.nextGaussian();
                        }
                        quantizer.store(x, 0, kind[s][head], (long) p * quantizer.byteSize());
                    }
                }
            }
        }
    }

    /** float32 [sequences, tokens, heads, headDim]. */
    public float[] queries() {
        return queries;
    }

    /** Slot and position of each token. */
    public int[] places() {
        int[] places = new int[2 * lengths.length * tokens];
        for (int i = 0; i < lengths.length * tokens; i++) {
            places[2 * i] = slot(i / tokens);
            places[2 * i + 1] = seen(i) - 1;
        }
        return places;
    }

    /** Positions that a token sees. */
    public int seen(int token) {
        return lengths[token / tokens] - tokens + 1 + token % tokens;
    }

    private int slot(int sequence) {
        return lengths.length - 1 - sequence;
    }

    /** A cache that holds the sequences, and nothing beyond their lengths. */
    public KvCodeCache upload(GpuDevice device, GpuStream stream) {
        KvCodeCache cache = new KvCodeCache(device, lengths.length, kvHeads, headDim, capacity);
        int codeBytes = headDim / 2;
        for (int kind = 0; kind < 2; kind++) {
            for (int s = 0; s < lengths.length; s++) {
                for (int head = 0; head < kvHeads; head++) {
                    byte[] all = new byte[lengths[s] * codeBytes];
                    byte[] steps = new byte[lengths[s] * 4];
                    for (int p = 0; p < lengths[s]; p++) {
                        MemorySegment row = codes[kind][s][head].asSlice((long) p * quantizer.byteSize());
                        MemorySegment.copy(row, 0, MemorySegment.ofArray(all), (long) p * codeBytes, codeBytes);
                        MemorySegment.copy(row, codeBytes, MemorySegment.ofArray(steps), 4L * p, 4);
                    }
                    long first = cache.row(slot(s), head, 0);
                    stream.copyIn(MemorySegment.ofArray(all), cache.codes(kind == 1), first * codeBytes);
                    stream.copyIn(MemorySegment.ofArray(steps), cache.steps(kind == 1), first * 4);
                }
            }
        }
        return cache;
    }

    /** The codes of one head of a sequence, of its values or its keys: rows of a {@link KvQuantizer}. */
    public MemorySegment codes(boolean values, int sequence, int head) {
        return codes[values ? 1 : 0][sequence][head];
    }

    /** What the scalar twin makes of them: [sequences, tokens, heads, headDim]. */
    public float[] twin() {
        float[] y = new float[queries.length];
        ScalarAttention twin = new ScalarAttention(headDim);
        for (int i = 0; i < queries.length / headDim; i++) {
            int token = i / (kvHeads * group);
            int s = token / tokens;
            int head = i / group % kvHeads;
            float[] q = Arrays.copyOfRange(queries, i * headDim, (i + 1) * headDim);
            System.arraycopy(
                    twin.attend(q, codes[0][s][head], codes[1][s][head], seen(token)), 0, y, i * headDim, headDim);
        }
        return y;
    }
}
