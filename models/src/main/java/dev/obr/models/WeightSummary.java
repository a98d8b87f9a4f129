package dev.obr.models;

import dev.obr.kernels.DType;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * How a model's weights are stored: one group for each type, largest first.
 *
 * @param groups never overlapping; together all tensors of the model
 */
public record WeightSummary(List<Group> groups) {
    /**
     * All tensors of one type.
     *
     * @param type how they are stored
     * @param tensors how many
     * @param parameters their elements
     * @param bytes what they take, in the file and in memory
     */
    public record Group(DType type, int tensors, long parameters, long bytes) {
        /** Bits that one parameter takes on average, scales included. */
        public double bitsPerWeight() {
            return 8.0 * bytes / parameters;
        }

        private Group plus(Weight weight) {
            return new Group(
                    type,
                    tensors + 1,
                    parameters + weight.elements(),
                    bytes + weight.memory().byteSize());
        }
    }

    public WeightSummary {
        groups = List.copyOf(groups);
    }

    /** Counts the weights of {@code model}; a tied head is counted once, as the embedding. */
    public static WeightSummary of(Model model) {
        Map<DType, Group> groups = new EnumMap<>(DType.class);
        for (Weight weight : model.weights().values()) {
            Group before = groups.getOrDefault(weight.type(), new Group(weight.type(), 0, 0, 0));
            groups.put(weight.type(), before.plus(weight));
        }
        return new WeightSummary(groups.values().stream()
                .sorted((a, b) -> Long.compare(b.bytes(), a.bytes()))
                .toList());
    }

    /** Parameters of the model. */
    public long parameters() {
        return groups.stream().mapToLong(Group::parameters).sum();
    }

    /** Bytes of all weights. */
    public long bytes() {
        return groups.stream().mapToLong(Group::bytes).sum();
    }

    /** Bits that one parameter takes on average, scales included. */
    public double bitsPerWeight() {
        return 8.0 * bytes() / parameters();
    }
}
