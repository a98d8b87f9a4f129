package dev.obr.compressor.pipeline;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.linalg.DeviceAlgebra;
import dev.obr.kernels.linalg.HeldAttention;
import dev.obr.kernels.linalg.HeldLinear.Product;
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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs the calibration's decoder layers on the host but for the products of their linear layers and attention, which a device computes: activations travel there and back, those that layers share once, weights
 * once each time that they change, keys and values once. What is too little for the way stays here.
 */
final class CalibrationBackend implements Backend {
    private final Backend host;
    private final DeviceAlgebra device;
    private final Consumer<String> notes;
    private final Staging staging;

    /**
     * @param host which is closed with this one
     * @param notes hears why something stays on the host
     */
    CalibrationBackend(Backend host, DeviceAlgebra device, Consumer<String> notes) {
        this.host = host;
        this.device = device;
        this.notes = notes;
        staging = new Staging(host);
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
        List<Integer> there = new ArrayList<>();
        List<Product> products = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            if (layers.get(i).weight() instanceof CalibrationWeight weight && order == null && weight.pays(x.rows())) {
                there.add(i);
                products.add(new Product(weight.held(), staging.room(1 + i, ys.get(i))));
            } else {
                host.linear(x, order, List.of(onHost(layers.get(i))), List.of(ys.get(i)));
            }
        }
        if (products.isEmpty()) {
            return;
        }
        device.multiply(x.rows(), staging.of(0, x), products);
        for (int i = 0; i < products.size(); i++) {
            Tensor y = ys.get(there.get(i));
            addBias(layers.get(there.get(i)), y, products.get(i).y());
            host.write(products.get(i).y(), y);
        }
    }

    private static Linear onHost(Linear layer) {
        return layer.weight() instanceof CalibrationWeight weight ? new Linear(weight.host(), layer.bias()) : layer;
    }

    private void addBias(Linear layer, Tensor y, MemorySegment values) {
        Tensor given = layer.bias();
        if (given == null) {
            return;
        }
        float[] bias = new float[y.cols()];
        host.read(given, 0, bias);
        for (int t = 0; t < y.rows(); t++) {
            for (int c = 0; c < bias.length; c++) {
                long at = (long) t * bias.length + c;
                values.setAtIndex(ValueLayout.JAVA_FLOAT, at, values.getAtIndex(ValueLayout.JAVA_FLOAT, at) + bias[c]);
            }
        }
    }

    /** Of one layer, as they are: on the device, if that pays and has room. */
    @Override
    public KvCache newCache(ModelConfig config, KvType type, int capacity) {
        if (type == KvType.F32 && config.layers() == 1) {
            HeldAttention.Shape shape = new HeldAttention.Shape(config.heads(), config.kvHeads(), config.headDim());
            try {
                Optional<HeldAttention> attention = device.attention(shape, capacity);
                if (attention.isPresent()) {
                    return new CalibrationCache(attention.get(), 8L * capacity * shape.kvWidth());
                }
            } catch (OutOfGpuMemoryException e) {
                notes.accept("The CPU computes calibration's attention: " + e.getMessage());
            }
        }
        return host.newCache(config, type, capacity);
    }

    @Override
    public KvCache fork(KvCache cache, int length) {
        return host.fork(cache, length); // windows do not share their beginnings
    }

    @Override
    public void append(KvCache cache, int layer, Tensor keys, Tensor values) {
        if (cache instanceof CalibrationCache there) {
            there.attention().append(cache.length(), keys.rows(), staging.of(0, keys), staging.of(1, values));
        } else {
            host.append(cache, layer, keys, values);
        }
    }

    @Override
    public void attention(Tensor q, KvCache cache, int layer, Tensor y) {
        if (cache instanceof CalibrationCache there) {
            MemorySegment mixed = staging.room(1, y);
            there.attention().attend(cache.length(), q.rows(), staging.of(0, q), mixed);
            host.write(mixed, y);
        } else {
            host.attention(q, cache, layer, y);
        }
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
        staging.close();
    }
}
