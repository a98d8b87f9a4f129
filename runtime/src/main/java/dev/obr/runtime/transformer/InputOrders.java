package dev.obr.runtime.transformer;

import org.jspecify.annotations.Nullable;

/**
 * The orders in which the linear layers of one decoder layer take their inputs; null where they take one as it is.
 *
 * @param attention of the input of query, key and value
 * @param output of the mixed heads
 * @param feedForward of the input of gate and up
 * @param down of the activated input of down
 */
public record InputOrders(
        @Nullable DeviceOrder attention,
        @Nullable DeviceOrder output,
        @Nullable DeviceOrder feedForward,
        @Nullable DeviceOrder down) {
    /** All inputs as they are. */
    public static final InputOrders NONE = new InputOrders(null, null, null, null);
}
