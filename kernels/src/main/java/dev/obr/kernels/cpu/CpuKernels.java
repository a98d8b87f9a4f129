package dev.obr.kernels.cpu;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.kernels.quantize.KvQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The arithmetic of a transformer on one CPU thread.
 *
 * <p>Three twins implement it: {@link ScalarKernels} (plain Java, the specification), {@code VectorKernels} (jdk.incubator.vector) and {@code NativeKernels} (C through the
 * foreign function interface). They differ in the order and precision of sums only, so results agree within a few
 * units of float rounding of the terms.
 *
 * <p>Activations are float32 in native byte order, row-major, in segments that start at the first element used; callers split work between threads by calling the same kernel on
 * disjoint ranges. Kernels keep no state, so one instance serves all threads. Sizes are checked by the caller; a segment that is too short is an
 * {@link IndexOutOfBoundsException} in the Java twins.
 */
public interface CpuKernels {
    /** {@code scalar}, {@code vector} or {@code native}. */
    String name();

    /** The instruction set in use, for people: e.g. {@code AVX2 FMA F16C, 8 lanes}. */
    String instructionSet();

    /**
     * Rows {@code from <= o < to} of a linear layer: W [out,in] · x [tokens,in] -> y [tokens,out].
     *
     * <p>Where W holds codes, x may be rounded to 16 bits: off by 2^-15 of the largest at most (unless that is below 2^-110), and not at all where it holds whole numbers up to 2^14.
     *
     * @param x [tokens, w.cols()]
     * @param y [tokens, w.rows()]; only columns {@code from..to} are written
     */
    void matmul(WeightMatrix w, int from, int to, MemorySegment x, int tokens, MemorySegment y);

    /** One row of a weight as floats: y [w.cols()] = W[row, :]. Used for embeddings. */
    void dequantizeRow(WeightMatrix w, int row, MemorySegment y);

    /** RMSNorm of one row: y_i = x_i / sqrt(mean(x²) + eps) · weight_i, for {@code i < n}; y may be x. */
    void rmsNorm(MemorySegment x, MemorySegment weight, float eps, int n, MemorySegment y);

    /**
     * Rotary position embedding of one token's heads in place, Hugging Face order: component {@code i < headDim/2} is paired with i + headDim/2.
     *
     * @param x [heads, headDim]
     * @param cosSin [headDim]: headDim/2 cosines, then headDim/2 sines, of this token's position
     */
    void rope(MemorySegment x, int heads, int headDim, MemorySegment cosSin);

    /**
     * The Hadamard transform of each column of x in place; all twins give the same bits.
     *
     * @param x [transform.size(), width]
     */
    void hadamard(MemorySegment x, HadamardTransform transform, int width);

    /**
     * Attention of one token over one KV head: {@code out[g] = softmax(scale · q[g] Kᵀ) V} for the {@code group} query heads that share it.
     *
     * @param q [group, headDim]
     * @param keys [positions, headDim] of {@code kv} type (F32 or F16), contiguous
     * @param values like {@code keys}
     * @param scores scratch [group, positions] floats
     * @param out [group, headDim]
     */
    void attention(
            MemorySegment q,
            int group,
            int headDim,
            MemorySegment keys,
            MemorySegment values,
            DType kv,
            int positions,
            float scale,
            MemorySegment scores,
            MemorySegment out);

    /** The scale by which the n activations of one token are quantised; all twins give the same. */
    default float scale(MemorySegment x, int n, ActivationQuantizer quantizer) {
        float[] token = new float[n];
        MemorySegment.copy(x, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, token, 0, n);
        return quantizer.scale(token, 0, n);
    }

    /**
     * Quantises heads of keys or values, exactly as {@link KvQuantizer} does, and lays their codes where {@link KvTiles} says.
     *
     * @param values whether as values rather than keys
     * @param x [tokens, stride]: {@code heads} heads one after the other, of the tokens at {@code position}, {@code position + 1} ..
     * @param memory tiles of the first head; those of the next begin {@code headBytes} further
     */
    void storeCodes(
            KvTiles tiles,
            boolean values,
            MemorySegment x,
            int stride,
            int tokens,
            int heads,
            MemorySegment memory,
            long headBytes,
            int position);

    /**
     * Attention over codes of one KV head, as far as positions {@code from <= p < to} go: for each token and query head what {@link #mergeAttention} makes one result of.
     *
     * <p>Positions are computed in blocks of {@link KvTiles#BLOCK}, whose results are merged one after the other: one span of all positions gives the same to the last bit as spans of one
     * block each that {@link #mergeAttention} merges. Nor do results depend on the tokens that are computed together.
     *
     * @param q [tokens, stride]: the {@code group} query heads of each token
     * @param keys whole tiles, of at least {@code to} positions
     * @param values like {@code keys}
     * @param first how many positions the first token sees; each next token sees one more. Less than 1 where the first tokens come before these positions
     * @param from a multiple of {@link KvTiles#BLOCK}
     * @param results [tokens, group, headDim + 2]: sum of e^(score - largest) v, sum of e^(score - largest), largest score
     */
    void attendCodes(
            KvTiles tiles,
            MemorySegment q,
            int tokens,
            int group,
            int stride,
            MemorySegment keys,
            MemorySegment values,
            int first,
            int from,
            int to,
            float scale,
            MemorySegment results);

    /**
     * Attention from the results of spans of positions that follow each other.
     *
     * @param results [spans, tokens, group, headDim + 2] as {@link #attendCodes} leaves them; overwritten
     * @param out [tokens, stride]: the {@code group} query heads of each token
     */
    void mergeAttention(
            MemorySegment results, int spans, int tokens, int group, int headDim, MemorySegment out, int stride);

    /** SwiGLU's gate: gate_i = silu(gate_i) · up_i, for {@code i < n}. */
    void siluMul(MemorySegment gate, MemorySegment up, long n);

    /** x_i += y_i, for {@code i < n}. */
    void add(MemorySegment x, MemorySegment y, long n);

    /** Rounds n floats to {@code type} (F32 copies, F16 to nearest even): the form in which keys and values are cached. */
    void store(MemorySegment x, DType type, int n, MemorySegment y);

    /** Products of packed weights and quantised activations as integers, chosen when first asked for. */
    PackedKernels.Choice packed();

    /** The sum of all whole 64-bit words, modulo 2^64: a bare read of memory, for measuring its bandwidth. */
    long read(MemorySegment memory);
}
