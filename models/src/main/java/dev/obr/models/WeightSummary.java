package dev.obr.models;

import dev.obr.kernels.packed.PackedMatrix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How a model's weights are stored: one group for each number format, largest first.
 *
 * @param groups never overlapping; together all tensors of the model
 */
public record WeightSummary(List<Group> groups) {
    /**
     * All tensors of one number format.
     *
     * @param format how they are stored: a plain type such as {@code F16}, or bits and pattern of packed ones, such as {@code INT4 2:4}
     * @param tensors how many
     * @param parameters their elements, pruned ones included
     * @param bytes what they take, in the file and in memory
     */
    public record Group(String format, int tensors, long parameters, long bytes) {
        /** Bits that one parameter takes on average, scales and pattern index included. */
        public double bitsPerWeight() {
            return 8.0 * bytes / parameters;
        }
    }

    /**
     * One tensor.
     *
     * @param name its Hugging Face name
     * @param format as in {@link Group}
     * @param shape outermost dimension first
     * @param bytes what it takes
     */
    public record Tensor(String name, String format, List<Integer> shape, long bytes) {
        public Tensor {
            shape = List.copyOf(shape);
        }

        /** Its elements, pruned ones included. */
        public long parameters() {
            return shape.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
        }
    }

    public WeightSummary {
        groups = List.copyOf(groups);
    }

    /** All tensors of {@code model}, packed or not; a tied head is none of its own. */
    public static List<Tensor> tensors(Model model) {
        List<Tensor> tensors = new ArrayList<>();
        for (Weight weight : model.weights().values()) {
            tensors.add(new Tensor(
                    weight.name(),
                    weight.type().toString(),
                    weight.shape(),
                    weight.memory().byteSize()));
        }
        model.packed()
                .forEach((name, matrix) -> tensors.add(
                        new Tensor(name, format(matrix), List.of(matrix.rows(), matrix.cols()), matrix.byteSize())));
        return tensors;
    }

    private static String format(PackedMatrix matrix) {
        return "INT" + matrix.bits() + " " + matrix.pattern();
    }

    /** Counts the weights of {@code model}; a tied head is counted once, as the embedding. */
    public static WeightSummary of(Model model) {
        Map<String, Group> groups = new LinkedHashMap<>();
        for (Tensor tensor : tensors(model)) {
            groups.merge(
                    tensor.format(),
                    new Group(tensor.format(), 1, tensor.parameters(), tensor.bytes()),
                    (a, b) -> new Group(
                            a.format(),
                            a.tensors() + b.tensors(),
                            a.parameters() + b.parameters(),
                            a.bytes() + b.bytes()));
        }
        return new WeightSummary(groups.values().stream()
                .sorted((a, b) -> Long.compare(b.bytes(), a.bytes()))
                .toList());
    }

    /** Bits that a packed weight of the decoder layers takes on average, scales, pattern index and orders of inputs included; nothing where none is packed. */
    public static OptionalDouble packedLayersBits(Model model) {
        List<PackedMatrix> matrices = model.packed().entrySet().stream()
                .filter(weight -> weight.getKey().startsWith("model.layers."))
                .map(Map.Entry::getValue)
                .toList();
        if (matrices.isEmpty()) {
            return OptionalDouble.empty();
        }
        long bytes = matrices.stream().mapToLong(PackedMatrix::byteSize).sum()
                + model.inputOrders().values().stream()
                        .mapToLong(order -> 4L * order.size())
                        .sum();
        long weights =
                matrices.stream().mapToLong(m -> (long) m.rows() * m.cols()).sum();
        return OptionalDouble.of(8.0 * bytes / weights);
    }

    /** Parameters of the model. */
    public long parameters() {
        return groups.stream().mapToLong(Group::parameters).sum();
    }

    /** Bytes of all weights. */
    public long bytes() {
        return groups.stream().mapToLong(Group::bytes).sum();
    }

    /** Bits that one parameter takes on average, scales and pattern index included. */
    public double bitsPerWeight() {
        return 8.0 * bytes() / parameters();
    }
}
