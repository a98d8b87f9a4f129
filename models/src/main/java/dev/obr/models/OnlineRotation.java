package dev.obr.models;

/**
 * The part of a rotation that cannot be folded into the weights: Hadamard transforms of activations, which the runtime applies on its way.
 *
 * @param downInput the input of down_proj, over its whole width
 * @param headsInput the input of o_proj, across the heads: component i of all heads together, for every i
 * @param queryKey queries and keys after the rotary embedding, over the components of each head; scores stay as they are
 */
public record OnlineRotation(boolean downInput, boolean headsInput, boolean queryKey) {
    /** Nothing to do. */
    public static final OnlineRotation NONE = new OnlineRotation(false, false, false);
}
