package dev.obr.compressor.rotation;

import java.util.Arrays;

/** The seven linear layers of a decoder layer, in the order in which they run. */
public enum Projection {
    QUERY("self_attn.q_proj"),
    KEY("self_attn.k_proj"),
    VALUE("self_attn.v_proj"),
    OUTPUT("self_attn.o_proj"),
    GATE("mlp.gate_proj"),
    UP("mlp.up_proj"),
    DOWN("mlp.down_proj");

    private final String path;

    Projection(String path) {
        this.path = path;
    }

    /** Its Hugging Face name within the decoder layer, e.g. {@code self_attn.q_proj}. */
    public String path() {
        return path;
    }

    /** The projection of that name within a decoder layer. */
    public static Projection at(String path) {
        return Arrays.stream(values())
                .filter(projection -> projection.path.equals(path))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no linear layer of a decoder is named " + path));
    }
}
