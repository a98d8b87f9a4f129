package dev.obr.models.packed;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.InputGroup;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.safetensors.SafetensorsTensor;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The orders of inputs in a packed model's safetensors file:
 *
 * <pre>
 *   model.layers.N.GROUP.input_order  I32  [cols]    column j of the group's packed weights multiplies component order[j] of their input
 * </pre>
 */
final class InputOrders {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final String TYPE = "I32";

    private InputOrders() {}

    /**
     * Takes the orders out of {@code rest}.
     *
     * @param packed the weights of the same file by name
     * @return orders by tensor name
     * @throws ObrException where one belongs to no packed weights, or is no permutation of their columns
     */
    static Map<String, ColumnOrder> take(
            Map<String, SafetensorsTensor> rest, Map<String, PackedMatrix> packed, String source) {
        Map<String, ColumnOrder> orders = new LinkedHashMap<>();
        for (SafetensorsTensor tensor : List.copyOf(rest.values())) {
            if (tensor.name().endsWith(InputGroup.ORDER_SUFFIX)) {
                orders.put(tensor.name(), read(tensor, columns(tensor.name(), packed, source), source));
                rest.remove(tensor.name());
            }
        }
        return orders;
    }

    /** Columns of the weights whose input an order is of: all of its group must be packed. */
    private static int columns(String name, Map<String, PackedMatrix> packed, String source) {
        List<String> weights = InputGroup.weightsOrderedBy(name);
        PackedMatrix first = weights.isEmpty() ? null : packed.get(weights.getFirst());
        if (first == null || !packed.keySet().containsAll(weights)) {
            throw PackedTensors.damaged(source, "tensor " + name + " orders the input of no packed weights");
        }
        return first.cols();
    }

    private static ColumnOrder read(SafetensorsTensor tensor, int columns, String source) {
        if (!tensor.type().equals(TYPE) || !tensor.shape().equals(List.of((long) columns))) {
            throw PackedTensors.damaged(
                    source,
                    "tensor " + tensor.name() + " is " + tensor.type() + " " + tensor.shape() + ", but " + TYPE + " ["
                            + columns + "] is expected");
        }
        int[] order = new int[columns];
        for (int j = 0; j < columns; j++) {
            order[j] = tensor.memory().get(INT, 4L * j);
        }
        try {
            return ColumnOrder.of(order);
        } catch (IllegalArgumentException noPermutation) {
            throw PackedTensors.damaged(
                    source, "tensor " + tensor.name() + " is no order of columns: " + noPermutation.getMessage());
        }
    }

    /** Announces an order. */
    static void write(String name, ColumnOrder order, SafetensorsWriter to) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[4 * order.size()]);
        for (int j = 0; j < order.size(); j++) {
            bytes.set(INT, 4L * j, order.column(j));
        }
        to.integers(name, List.of(order.size()), TensorBytes.of(bytes));
    }
}
