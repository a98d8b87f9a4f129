package dev.obr.models;

import java.util.Arrays;
import java.util.List;

/** The linear layers of a decoder layer, grouped by the input that they share. A packed model may multiply an input in another order of its columns. */
public enum InputGroup {
    ATTENTION("attention", "self_attn", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    OUTPUT("o_proj", "self_attn.o_proj", "self_attn.o_proj"),
    FEED_FORWARD("feed-forward", "mlp", "mlp.gate_proj", "mlp.up_proj"),
    DOWN("down_proj", "mlp.down_proj", "mlp.down_proj");

    /** What the names of tensors that hold an order end with. */
    public static final String ORDER_SUFFIX = ".input_order";

    private final String label;
    private final String orderName;
    private final List<String> members;

    InputGroup(String label, String path, String... members) {
        this.label = label;
        this.orderName = path + ORDER_SUFFIX;
        this.members = List.of(members);
    }

    /** The group of a linear layer by its name within the decoder layer, e.g. {@code self_attn.k_proj}. */
    public static InputGroup of(String member) {
        return Arrays.stream(values())
                .filter(group -> group.members.contains(member))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no linear layer of a decoder is named " + member));
    }

    /** Full names of the weights whose input the tensor of that full name orders; none where it is no such tensor. */
    public static List<String> weightsOrderedBy(String tensor) {
        for (InputGroup group : values()) {
            if (tensor.endsWith("." + group.orderName)) {
                String prefix = tensor.substring(0, tensor.length() - group.orderName.length());
                return group.members.stream()
                        .map(member -> prefix + member + ".weight")
                        .toList();
            }
        }
        return List.of();
    }

    /** For people. */
    public String label() {
        return label;
    }

    /** The name, within the decoder layer, of the tensor that holds the order of its input: {@code self_attn.input_order}. */
    public String orderName() {
        return orderName;
    }

    /** Names of its linear layers within the decoder layer: {@code self_attn.q_proj} and so on. */
    public List<String> members() {
        return members;
    }
}
