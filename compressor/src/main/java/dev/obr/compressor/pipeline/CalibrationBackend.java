package dev.obr.compressor.pipeline;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.Backend;
import dev.obr.runtime.transformer.DeviceOrder;
import dev.obr.runtime.transformer.DeviceWeight;
import dev.obr.runtime.transformer.KvCache;
import dev.obr.runtime.transformer.KvType;
import dev.obr.runtime.transformer.Linear;
import dev.obr.runtime.transformer.RotaryTable;
import dev.obr.runtime.transformer.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the calibration's decoder layers on the host but for the products of their linear layers, which a device computes: activations travel there and back, weights once each time that they change. What is too little
 * for the way stays here.
 */
final class CalibrationBackend implements Backend {
    private final Backend host;
    private final DeviceAlgebra device;
    private final Arena arena = Arena.ofShared();
    private MemorySegment inputs = MemorySegment.NULL;
    private MemorySegment outputs = MemorySegment.NULL;

    /** @param host which is closed with this one */
    CalibrationBackend(Backend host, DeviceAlgebra device) {
        this.host = host;
        this.device = device;
    }

    @Override
    public DeviceWeight load(WeightMatrix weight) {
        DeviceWeight loaded = host.load(weight);
        return weight.type() == DType.F32
                ? new CalibrationWeight(weight, loaded, device.linear(weight.rows(), weight.cols()))
                : loaded;
    }

    @Override
    public void linear(Tensor x, @Nullable DeviceOrder order, List<Linear> layers, List<Tensor> ys) {
        boolean read = false;
        for (int i = 0; i < layers.size(); i++) {
            Linear layer = layers.get(i);
            Tensor y = ys.get(i);
            if (layer.weight() instanceof CalibrationWeight weight && order == null && weight.pays(x.rows())) {
                if (!read) {
                    inputs = room(inputs, x);
                    host.read(x, inputs);
                    read = true;
                }
                outputs = room(outputs, y);
                weight.held().multiply(x.rows(), inputs.asSlice(0, bytes(x)), outputs.asSlice(0, bytes(y)));
                addBias(layer, y);
                host.write(outputs, y);
            } else {
                host.linear(x, order, List.of(onHost(layer)), List.of(y));
            }
        }
    }

    private static Linear onHost(Linear layer) {
        return layer.weight() instanceof CalibrationWeight weight ? new Linear(weight.host(), layer.bias()) : layer;
    }

    private void addBias(Linear layer, Tensor y) {
        Tensor given = layer.bias();
        if (given == null) {
            return;
        }
        float[] bias = new float[y.cols()];
        host.read(given, 0, bias);
        for (int t = 0; t < y.rows(); t++) {
            for (int c = 0; c < bias.length; c++) {
                long at = (long) t * bias.length + c;
                outputs.setAtIndex(
                        ValueLayout.JAVA_FLOAT, at, outputs.getAtIndex(ValueLayout.JAVA_FLOAT, at) + bias[c]);
            }
        }
    }

    private MemorySegment room(MemorySegment present, Tensor tensor) {
        return present.byteSize() >= bytes(tensor) ? present : arena.allocate(bytes(tensor), 64);
    }

    private static long bytes(Tensor tensor) {
        return 4L * tensor.rows() * tensor.cols();
    }

    @Override
    public String device() {
        return host.device();
    }

    @Override
    public String description() {
        return host.description();
    }

    @Override
    public DeviceWeight load(PackedMatrix weight) {
        return host.load(weight);
    }

    @Override
    public DeviceWeight loadHead(PackedMatrix weight) {
        return host.loadHead(weight);
    }

    @Override
    public DeviceOrder load(ColumnOrder order) {
        return host.load(order);
    }

    @Override
    public Tensor vector(WeightMatrix weight) {
        return host.vector(weight);
    }

    @Override
    public Tensor tensor(int rows, int cols) {
        return host.tensor(rows, cols);
    }

    @Override
    public KvCache newCache(ModelConfig config, KvType type, int capacity) {
        return host.newCache(config, type, capacity);
    }

    @Override
    public KvCache fork(KvCache cache, int length) {
        return host.fork(cache, length);
    }

    @Override
    public long cacheBytes() {
        return host.cacheBytes();
    }

    @Override
    public void embed(DeviceWeight table, int[] tokens, Tensor y) {
        host.embed(table, tokens, y);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {
        host.rmsNorm(x, weight, eps, y);
    }

    @Override
    public void hadamard(Tensor x, HadamardTransform transform) {
        host.hadamard(x, transform);
    }

    @Override
    public void rope(Tensor x, int headDim, RotaryTable table, int firstPosition) {
        host.rope(x, headDim, table, firstPosition);
    }

    @Override
    public void append(KvCache cache, int layer, Tensor keys, Tensor values) {
        host.append(cache, layer, keys, values);
    }

    @Override
    public void attention(Tensor q, KvCache cache, int layer, Tensor y) {
        host.attention(q, cache, layer, y);
    }

    @Override
    public void siluMul(Tensor gate, Tensor up) {
        host.siluMul(gate, up);
    }

    @Override
    public void add(Tensor x, Tensor y) {
        host.add(x, y);
    }

    @Override
    public void gather(Tensor x, int[] rows, Tensor y) {
        host.gather(x, rows, y);
    }

    @Override
    public void read(Tensor x, int row, float[] destination) {
        host.read(x, row, destination);
    }

    @Override
    public void read(Tensor x, MemorySegment destination) {
        host.read(x, destination);
    }

    @Override
    public void write(MemorySegment source, Tensor x) {
        host.write(source, x);
    }

    @Override
    public void close() {
        host.close();
        arena.close();
    }
}
