package dev.obr.compressor.pipeline;

import dev.obr.compressor.rotation.Projection;
import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.InputGroup;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.DecoderLayer;
import dev.obr.runtime.transformer.DeviceWeight;
import dev.obr.runtime.transformer.InputOrders;
import dev.obr.runtime.transformer.Linear;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The float32 weights of one decoder layer while it is being compressed: each projection can be replaced by what its packed form stands for. */
final class FloatLayer implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Backend backend;
    private final String prefix;
    private final Map<String, Matrix> tensors;
    private final Map<Projection, MemorySegment> weights = new EnumMap<>(Projection.class);
    private final Map<Projection, DeviceWeight> loaded = new EnumMap<>(Projection.class);
    private final DecoderLayer layer;

    /**
     * @param prefix of the tensors' names: {@code model.layers.3.}
     * @param tensors by full name: projections [out, in], norms and biases [1, n]
     */
    FloatLayer(String prefix, Map<String, Matrix> tensors, Backend backend) {
        this.backend = backend;
        this.prefix = prefix;
        this.tensors = tensors;
        this.layer = new DecoderLayer(
                norm("input_layernorm.weight"),
                linear(Projection.QUERY),
                linear(Projection.KEY),
                linear(Projection.VALUE),
                optional("self_attn.q_norm.weight"),
                optional("self_attn.k_norm.weight"),
                linear(Projection.OUTPUT),
                norm("post_attention_layernorm.weight"),
                linear(Projection.GATE),
                linear(Projection.UP),
                linear(Projection.DOWN),
                InputOrders.NONE);
    }

    /** For the backend that it was made with. */
    DecoderLayer layer() {
        return layer;
    }

    /** The name of a projection's weight. */
    String name(Projection projection) {
        return prefix + projection.path() + ".weight";
    }

    /** The name of the tensor that holds the order of a projection's input. */
    String orderName(Projection projection) {
        return prefix + InputGroup.of(projection.path()).orderName();
    }

    /** W [out, in] as it was given. */
    Matrix weight(Projection projection) {
        return tensor(projection.path() + ".weight");
    }

    /**
     * Computes with the packed weight from now on.
     *
     * @param order of its columns, or null: that of its input
     */
    void replace(Projection projection, PackedMatrix packed, @Nullable ColumnOrder order) {
        MemorySegment floats = weights.get(projection);
        float[] ordered = new float[packed.cols()];
        float[] row = order == null ? ordered : new float[packed.cols()];
        for (int r = 0; r < packed.rows(); r++) {
            packed.dequantizeRow(r, ordered, 0);
            if (order != null) {
                order.scatter(ordered, row);
            }
            MemorySegment.copy(row, 0, floats, ValueLayout.JAVA_FLOAT, 4L * r * row.length, row.length);
        }
        if (loaded.get(projection) instanceof CalibrationWeight weight) {
            weight.changed();
        }
    }

    private Matrix tensor(String name) {
        Matrix tensor = tensors.get(prefix + name);
        if (tensor == null) {
            throw new IllegalArgumentException("there is no tensor " + prefix + name);
        }
        return tensor;
    }

    private Linear linear(Projection projection) {
        Matrix w = weight(projection);
        MemorySegment floats = segment(w);
        DeviceWeight weight = backend.load(new WeightMatrix(DType.F32, w.rows(), w.cols(), floats));
        weights.put(projection, floats);
        loaded.put(projection, weight);
        return new Linear(weight, optional(projection.path() + ".bias"));
    }

    private Tensor norm(String name) {
        return vector(tensor(name));
    }

    private @Nullable Tensor optional(String name) {
        Matrix tensor = tensors.get(prefix + name);
        return tensor == null ? null : vector(tensor);
    }

    private Tensor vector(Matrix row) {
        return backend.vector(new WeightMatrix(DType.F32, 1, row.cols(), segment(row)));
    }

    private MemorySegment segment(Matrix matrix) {
        MemorySegment floats = arena.allocate(4L * matrix.values().length, 64);
        MemorySegment.copy(matrix.values(), 0, floats, ValueLayout.JAVA_FLOAT, 0, matrix.values().length);
        return floats;
    }

    @Override
    public void close() {
        for (DeviceWeight weight : loaded.values()) {
            if (weight instanceof CalibrationWeight onDevice) {
                onDevice.close();
            }
        }
        arena.close();
    }
}
