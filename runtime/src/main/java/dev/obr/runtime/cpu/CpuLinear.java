package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.PackedKernels;
import dev.obr.kernels.cpu.RowSplit;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.kernels.quantize.ActivationQuantizer;
import dev.obr.runtime.transformer.DeviceWeight;
import dev.obr.runtime.transformer.Linear;
import dev.obr.runtime.transformer.Precision;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Linear layers that share an input, over a thread team.
 *
 * <p>A packed weight whose inputs are quantised is multiplied as integers where the kernels can ({@link IntegerWeight}), else as floats that hold the same whole numbers ({@link CpuWeight}): the
 * outputs are equal to the bit.
 */
final class CpuLinear {
    private final CpuKernels kernels;
    private final Precision precision;
    private final ThreadTeam team;
    private final Arena arena;
    private PackedKernels.@Nullable Choice integers; // chosen when the first packed weight is loaded
    private SegmentAllocator weights; // where packed weights are laid out
    private MemorySegment floats =
            MemorySegment.NULL; // codes of the inputs of packed layers, or those inputs reordered
    private MemorySegment bytes = MemorySegment.NULL; // codes for integer kernels, with their scales

    CpuLinear(CpuKernels kernels, Precision precision, ThreadTeam team, Arena arena) {
        this.kernels = kernels;
        this.precision = precision;
        this.team = team;
        this.arena = arena;
        this.weights = arena;
    }

    DeviceWeight load(PackedMatrix weight) {
        if (precision.simulated()) {
            return CpuWeight.dequantized(weight, arena);
        }
        if (precision.activations() == null) {
            return withFloatInputs(weight);
        }
        if (integers == null) {
            integers = kernels.packed();
            weights = integers.kernels() == null ? arena : integers.kernels().weightMemory(arena);
        }
        PackedKernels packed = integers.kernels();
        DeviceWeight loaded = packed != null && PackedKernels.take(weight)
                ? IntegerWeight.laidOut(weight, packed, weights, team)
                : CpuWeight.codes(weight, true, weights);
        leaveFile(weight);
        return loaded;
    }

    DeviceWeight withFloatInputs(PackedMatrix weight) {
        CpuWeight loaded = CpuWeight.codes(weight, false, weights);
        leaveFile(weight);
        return loaded;
    }

    private void leaveFile(PackedMatrix weight) {
        if (integers != null && integers.kernels() != null) {
            integers.kernels().forgetFile(weight.codes());
            integers.kernels().forgetFile(weight.index());
        }
    }

    /** Which kernels multiply packed weights, and why not faster ones; null where none were loaded. */
    @Nullable
    String description() {
        return integers == null ? null : integers.reason();
    }

    private PackedKernels integers() {
        return Objects.requireNonNull(Objects.requireNonNull(integers).kernels());
    }

    /**
     * y_i = W_i x + b_i.
     *
     * @param x [tokens, in]
     * @param order of the layers' columns, or null: that of x
     * @param ys [tokens, out of the layer]
     */
    void run(CpuTensor x, @Nullable ColumnOrder order, List<Linear> layers, List<Tensor> ys) {
        int rows = 0;
        for (Linear layer : layers) {
            rows += layer.weight().rows();
        }
        RowSplit split = RowSplit.of(rows, x.rows(), team.threads());
        Map<Pattern, IntegerInputs> integerInputs = integerInputs(x, order, layers);
        LinearInputs floatInputs = floatInputs(x, order, layers);
        // The layers' output rows count as one range, so that small ones (K, V) do not cost a barrier of their own.
        team.run(split.parts(), part -> {
            int from = split.from(part);
            int to = split.to(part);
            int start = 0;
            for (int i = 0; i < layers.size() && start < to; i++) {
                Linear layer = layers.get(i);
                CpuTensor y = (CpuTensor) ys.get(i);
                int out = layer.weight().rows();
                int first = Math.max(from - start, 0);
                int end = Math.min(to - start, out);
                if (first < end && layer.weight() instanceof IntegerWeight weight) {
                    integerRows(layer, weight, integerInputs, weight.cut(first), weight.cut(end), y);
                } else if (first < end) {
                    floatRows(layer, Objects.requireNonNull(floatInputs), first, end, y);
                }
                start += out;
            }
        });
    }

    /** What float kernels multiply: x itself, or its codes, in the layers' order; null if no layer is multiplied as floats. */
    private @Nullable LinearInputs floatInputs(CpuTensor x, @Nullable ColumnOrder order, List<Linear> layers) {
        CpuWeight first = null;
        for (Linear layer : layers) {
            if (first == null && layer.weight() instanceof CpuWeight weight) {
                first = weight;
            }
        }
        if (first == null) {
            return null;
        }
        ActivationQuantizer quantizer = first.quantizesInputs() ? precision.activations() : null;
        if (quantizer == null && order == null) {
            return new LinearInputs(x, null);
        }
        if (floats.byteSize() < x.memory().byteSize()) {
            floats = arena.allocate(x.memory().byteSize(), 64);
        }
        CpuTensor values = new CpuTensor(floats, x.rows(), x.cols());
        return quantizer == null
                ? LinearInputs.gathered(x, Objects.requireNonNull(order), values, team)
                : LinearInputs.quantized(x, order, quantizer, precision.simulated(), values, team);
    }

    /** What integer kernels multiply, for each pattern among the layers: usually one. */
    private Map<Pattern, IntegerInputs> integerInputs(CpuTensor x, @Nullable ColumnOrder order, List<Linear> layers) {
        Map<Pattern, IntegerInputs> inputs = new EnumMap<>(Pattern.class);
        long used = 0;
        for (Linear layer : layers) {
            if (!(layer.weight() instanceof IntegerWeight weight)
                    || inputs.containsKey(weight.layout().pattern())) {
                continue;
            }
            Pattern pattern = weight.layout().pattern();
            PackedKernels packed = integers();
            long needed = IntegerInputs.bytes(packed, pattern, x.rows(), x.cols());
            if (bytes.byteSize() < used + needed) {
                bytes = arena.allocate(used + needed, 64);
            }
            ActivationQuantizer quantizer = Objects.requireNonNull(precision.activations());
            inputs.put(
                    pattern,
                    IntegerInputs.quantized(
                            x, order, quantizer, kernels, packed, pattern, bytes.asSlice(used, needed), team));
            used += needed;
        }
        return inputs;
    }

    // y[t, from..to) = W[from..to, :] x[t, :] + b[from..to), integers scaled once
    private void integerRows(
            Linear layer, IntegerWeight weight, Map<Pattern, IntegerInputs> inputs, int from, int to, CpuTensor y) {
        if (from < to) {
            IntegerInputs x = Objects.requireNonNull(inputs.get(weight.layout().pattern()));
            integers().matmul(weight.layout(), from, to, x.codes(), x.scales(), y.rows(), y.memory());
            addBias(layer, from, to, y);
        }
    }

    // y[t, from..to) = W[from..to, :] x[t, :] + b[from..to)
    private void floatRows(Linear layer, LinearInputs inputs, int from, int to, CpuTensor y) {
        CpuWeight weight = (CpuWeight) layer.weight();
        CpuTensor x = inputs.values();
        kernels.matmul(weight.matrix(), from, to, x.memory(), x.rows(), y.memory());
        float[] scales = weight.scales();
        if (scales != null) {
            scale(y, from, to, scales, inputs.scales());
        }
        addBias(layer, from, to, y);
    }

    private void addBias(Linear layer, int from, int to, CpuTensor y) {
        if (layer.bias() != null) {
            MemorySegment bias = ((CpuTensor) layer.bias()).memory().asSlice(4L * from);
            for (int t = 0; t < y.rows(); t++) {
                kernels.add(y.from(t).asSlice(4L * from), bias, to - from);
            }
        }
    }

    // y[t, r] *= scale of row r · scale of token t
    private static void scale(CpuTensor y, int from, int to, float[] rows, float @Nullable [] tokens) {
        for (int t = 0; t < y.rows(); t++) {
            float token = tokens == null ? 1 : tokens[t];
            long at = 4L * t * y.cols();
            for (int r = from; r < to; r++) {
                float product = y.memory().get(ValueLayout.JAVA_FLOAT, at + 4L * r);
                y.memory().set(ValueLayout.JAVA_FLOAT, at + 4L * r, product * (token * rows[r]));
            }
        }
    }
}
