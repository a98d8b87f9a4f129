package dev.obr.runtime.transformer;

import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The operations that a transformer needs, on tensors that live where the backend wants them.
 *
 * <p>Operations may be asynchronous until {@link #read}. A backend is used by one thread at a time.
 */
public interface Backend extends AutoCloseable {
    /** {@code cpu}. */
    String device();

    /** Which kernels run, and why not faster ones: one line. */
    String description();

    /** Takes a weight into the backend's memory and layout. The CPU computes from the mapped file itself, so its memory must outlive the backend. */
    DeviceWeight load(WeightMatrix weight);

    /** Takes a packed weight: as {@link #load(WeightMatrix)}. Linear layers of it compute in the backend's {@link Precision}. */
    DeviceWeight load(PackedMatrix weight);

    /** Takes a packed head: a linear layer whose inputs are not coded as activations, whatever the precision. */
    DeviceWeight loadHead(PackedMatrix weight);

    /** Takes the order of an input's components into the backend's memory. */
    DeviceOrder load(ColumnOrder order);

    /** A weight of one row as floats [1, n]: norms and biases. */
    Tensor vector(WeightMatrix weight);

    /** Uninitialised activations [rows, cols]. */
    Tensor tensor(int rows, int cols);

    /** An empty cache for one sequence of at most {@code capacity} tokens. */
    KvCache newCache(ModelConfig config, KvType type, int capacity);

    /** As {@link ForwardPass#fork}. */
    KvCache fork(KvCache cache, int length);

    /** Bytes that all caches take now; what sequences share counts once. */
    long cacheBytes();

    /** y [t, :] = table [tokens[t], :]. */
    void embed(DeviceWeight table, int[] tokens, Tensor y);

    /** RMSNorm of every row: y = x / sqrt(mean(x²) + eps) · weight; y may be x. */
    void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y);

    /**
     * y_i = W_i x' + b_i for linear layers that share the input x [tokens, in], where x'[t, j] = x[t, order[j]]. Inputs are quantised before they are reordered, so that codes and
     * their scale do not depend on the order.
     *
     * @param order null for x' = x
     */
    void linear(Tensor x, @Nullable DeviceOrder order, List<Linear> layers, List<Tensor> ys);

    /** The Hadamard transform of every row of x in place: [n, cols / n] column by column, n the transform's length. */
    void hadamard(Tensor x, HadamardTransform transform);

    /** Rotary position embedding in place; row t of x [tokens, heads · headDim] stands at position {@code firstPosition + t}. */
    void rope(Tensor x, int headDim, RotaryTable table, int firstPosition);

    /** Writes keys and values [tokens, kvHeads · headDim] of one layer behind the cache's current length. */
    void append(KvCache cache, int layer, Tensor keys, Tensor values);

    /** Causal attention of the tokens just appended: q [tokens, heads · headDim] over all of the layer's cache -> y of q's shape. */
    void attention(Tensor q, KvCache cache, int layer, Tensor y);

    /** gate = silu(gate) · up. */
    void siluMul(Tensor gate, Tensor up);

    /** x += y. */
    void add(Tensor x, Tensor y);

    /** y [i, :] = x [rows[i], :]. */
    void gather(Tensor x, int[] rows, Tensor y);

    /** Copies row {@code row} to {@code destination}, after all work before it. */
    void read(Tensor x, int row, float[] destination);

    /** Copies all of x to the floats of {@code destination}, row by row, after all work before it. */
    void read(Tensor x, MemorySegment destination);

    /** Copies floats into all of x, row by row. */
    void write(MemorySegment source, Tensor x);

    /** Frees everything that this backend allocated. */
    @Override
    void close();
}
