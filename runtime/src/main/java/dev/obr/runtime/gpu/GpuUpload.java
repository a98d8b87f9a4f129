package dev.obr.runtime.gpu;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.linear.InputOrder;
import dev.obr.kernels.gpu.linear.SparseWeights;
import dev.obr.kernels.gpu.linear.StackedFragments;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** Takes a model's weights to a device, each once and in the kernels' layout. */
final class GpuUpload {
    private static final int TABLE_ROWS =
            4; // what a table's rows are filled up to: the head's results are stored by fours

    private final Model model;
    private final GpuDevice device;
    private final GpuStream stream;
    private final CpuKernels kernels = new ScalarKernels();

    GpuUpload(Model model, GpuDevice device, GpuStream stream) {
        this.model = model;
        this.device = device;
        this.stream = stream;
    }

    /** The linear layers of one decoder layer that share an input. */
    GpuLinear linear(String prefix, InputGroup group) {
        List<String> names = group.members();
        List<PackedMatrix> matrices = new ArrayList<>();
        for (String name : names) {
            PackedMatrix packed = model.packed().get(prefix + name + ".weight");
            if (packed == null) {
                throw new ObrException(prefix + name + " is not packed: a GPU runs models whose linear layers all are");
            }
            matrices.add(packed);
        }
        try (Arena arena = Arena.ofConfined()) {
            StackedFragments stacked = StackedFragments.of(matrices, arena);
            SparseWeights weight = SparseWeights.upload(stacked.fragments(), device, stream);
            float[] bias = new float[weight.features()];
            boolean biased = false;
            for (int i = 0; i < names.size(); i++) {
                Weight own = model.weights().get(prefix + names.get(i) + ".bias");
                if (own != null) {
                    biased = true;
                    row(own.vector(), 0, bias, stacked.firsts().get(i), arena);
                }
            }
            GpuMemory uploaded = biased ? floats(bias) : null;
            ColumnOrder order = model.inputOrders().get(prefix + group.orderName());
            InputOrder columns = order == null ? null : InputOrder.upload(order, device, stream);
            stream.synchronize();
            return new GpuLinear(weight, uploaded, columns, stacked.firsts());
        }
    }

    /** A norm. */
    GpuMemory vector(String name) {
        WeightMatrix vector = weight(name).vector();
        float[] values = new float[vector.cols()];
        try (Arena arena = Arena.ofConfined()) {
            row(vector, 0, values, 0, arena);
        }
        return floats(values);
    }

    GpuMemory floats(float[] values) {
        GpuMemory memory = device.allocate(4L * values.length);
        stream.copyIn(MemorySegment.ofArray(values), memory, 0);
        stream.synchronize();
        return memory;
    }

    /** An embedding table or a head as half floats [rows, columns], rows filled up to {@link #tableRows} with zeros. */
    GpuMemory table(String name) {
        PackedMatrix packed = model.packed().get(name);
        if (packed != null) {
            return table(packed.rows(), packed.cols(), (row, values, arena) -> packed.dequantizeRow(row, values, 0));
        }
        WeightMatrix matrix = weight(name).matrix();
        return table(matrix.rows(), matrix.cols(), (row, values, arena) -> row(matrix, row, values, 0, arena));
    }

    /** Reads one row. */
    private interface RowReader {
        void read(int row, float[] values, Arena arena);
    }

    private GpuMemory table(int rows, int columns, RowReader reader) {
        GpuMemory memory = device.allocate(2L * tableRows(rows) * columns);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment halves = arena.allocate(memory.byteSize(), 16);
            float[] values = new float[columns];
            for (int row = 0; row < rows; row++) {
                try (Arena temporary = Arena.ofConfined()) {
                    reader.read(row, values, temporary);
                }
                for (int c = 0; c < columns; c++) {
                    halves.setAtIndex(
                            ValueLayout.JAVA_SHORT, (long) row * columns + c, Float.floatToFloat16(values[c]));
                }
            }
            stream.copyIn(halves, memory, 0);
            stream.synchronize();
        }
        return memory;
    }

    static int tableRows(int vocabulary) {
        return Math.ceilDiv(vocabulary, TABLE_ROWS) * TABLE_ROWS;
    }

    private void row(WeightMatrix matrix, int row, float[] values, int at, Arena arena) {
        MemorySegment floats = arena.allocate(4L * matrix.cols(), 64);
        kernels.dequantizeRow(matrix, row, floats);
        MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT, 0, values, at, matrix.cols());
    }

    private Weight weight(String name) {
        Weight weight = model.weights().get(name);
        if (weight == null) {
            throw new IllegalStateException("the model has no tensor " + name);
        }
        return weight;
    }
}
