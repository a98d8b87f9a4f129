package dev.obr.models.packed;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Pattern;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.Quantization;
import dev.obr.models.Quantization.WeightFormat;
import dev.obr.models.Weight;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.safetensors.SafetensorsTensor;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights as a packed model's safetensors file holds them: a packed matrix as its parts, anything else as it is.
 *
 * <pre>
 *   NAME.codes   U8   [rows, bytes of a row], or [bytes] where rows differ (unstructured)
 *   NAME.index   U8   [rows, bytes of a row]; absent for the dense pattern
 *   NAME.scales  F32  [rows]
 * </pre>
 *
 * @param packed by weight name
 * @param plain by tensor name
 * @param orders of inputs, by tensor name ({@link InputOrders})
 */
record PackedTensors(Map<String, PackedMatrix> packed, Map<String, Weight> plain, Map<String, ColumnOrder> orders) {
    /** The first {@code format_version} that knows orders of inputs. */
    private static final int INPUT_ORDERS_SINCE = 2;

    private static final String CODES = ".codes";
    private static final String INDEX = ".index";
    private static final String SCALES = ".scales";

    /**
     * Sorts the tensors of a file.
     *
     * @param expected shapes by name of the weights that the file should hold
     * @param source the file, for messages
     * @throws ObrException where parts are missing, left over, or of other sizes than their weight's shape calls for
     */
    static PackedTensors read(
            Map<String, SafetensorsTensor> tensors,
            Map<String, List<Integer>> expected,
            Quantization quantization,
            String source) {
        Map<String, SafetensorsTensor> rest = new LinkedHashMap<>(tensors);
        Map<String, PackedMatrix> packed = new LinkedHashMap<>();
        expected.forEach((name, shape) -> {
            if (shape.size() == 2 && tensors.containsKey(name + CODES)) {
                packed.put(name, matrix(name, shape, rest, quantization.format(name), source));
            }
        });
        Map<String, ColumnOrder> orders = InputOrders.take(rest, packed, source);
        if (!orders.isEmpty() && quantization.formatVersion() < INPUT_ORDERS_SINCE) {
            throw damaged(
                    source,
                    "tensor " + orders.keySet().iterator().next() + " is part of format_version " + INPUT_ORDERS_SINCE
                            + ", but config.json says " + quantization.formatVersion());
        }
        Map<String, Weight> plain = new LinkedHashMap<>();
        rest.forEach((name, tensor) -> {
            if (name.endsWith(CODES) || name.endsWith(INDEX) || name.endsWith(SCALES)) {
                throw damaged(source, "tensor " + name + " is part of no weight that the configuration calls for");
            }
            plain.put(name, tensor.weight());
        });
        return new PackedTensors(packed, plain, orders);
    }

    private static PackedMatrix matrix(
            String name, List<Integer> shape, Map<String, SafetensorsTensor> rest, WeightFormat format, String source) {
        MemorySegment codes = part(name + CODES, "U8", rest, source);
        MemorySegment scales = part(name + SCALES, "F32", rest, source);
        MemorySegment index =
                format.pattern() == Pattern.DENSE ? MemorySegment.NULL : part(name + INDEX, "U8", rest, source);
        try {
            return new PackedMatrix(format.pattern(), format.bits(), shape.get(0), shape.get(1), codes, index, scales)
                    .check(source + ": weight " + name);
        } catch (IllegalArgumentException wrongSize) {
            throw damaged(source, "weight " + name + ": " + wrongSize.getMessage());
        }
    }

    private static MemorySegment part(String name, String type, Map<String, SafetensorsTensor> rest, String source) {
        SafetensorsTensor tensor = rest.remove(name);
        if (tensor == null) {
            throw damaged(source, "tensor " + name + " is missing");
        }
        if (!tensor.type().equals(type)) {
            throw damaged(source, "tensor " + name + " is " + tensor.type() + ", but " + type + " is expected");
        }
        return tensor.memory();
    }

    static ObrException damaged(String source, String fault) {
        return new ObrException(source + ": " + fault + "; the file is damaged: compress the model again");
    }

    /** Announces the parts of a packed matrix. */
    static void write(String name, PackedMatrix matrix, SafetensorsWriter to) {
        int rows = matrix.rows();
        long codes = matrix.codes().byteSize();
        to.unsignedBytes(
                name + CODES,
                matrix.pattern() == Pattern.UNSTRUCTURED || rows == 0
                        ? List.of(Math.toIntExact(codes))
                        : List.of(rows, Math.toIntExact(codes / rows)),
                TensorBytes.of(matrix.codes()));
        if (matrix.pattern() != Pattern.DENSE) {
            int rowBytes = rows == 0 ? 0 : Math.toIntExact(matrix.index().byteSize() / rows);
            to.unsignedBytes(name + INDEX, List.of(rows, rowBytes), TensorBytes.of(matrix.index()));
        }
        to.tensor(name + SCALES, DType.F32, List.of(rows), TensorBytes.of(matrix.scales()));
    }

    /** Announces a tensor of a file once more, for another file. */
    static void copy(SafetensorsTensor tensor, SafetensorsWriter to) {
        List<Integer> shape = tensor.shape().stream().map(Math::toIntExact).toList();
        TensorBytes content = TensorBytes.of(tensor.memory());
        switch (tensor.type()) {
            case "U8" -> to.unsignedBytes(tensor.name(), shape, content);
            case "I32" -> to.integers(tensor.name(), shape, content);
            default -> to.tensor(tensor.name(), DType.valueOf(tensor.type()), shape, content);
        }
    }

    /** Checks that nothing is missing, left over or of another shape. */
    void check(ExpectedWeights expected, String source) {
        expected.check(plain, packed.keySet(), source);
    }
}
