package dev.obr.compressor.pipeline;

import dev.obr.kernels.linalg.HeldAttention;
import dev.obr.runtime.transformer.KvCache;

/** Keys and values of one decoder layer and one calibration window in a device's memory, as they are. */
final class CalibrationCache implements KvCache {
    private final HeldAttention attention;
    private final long bytes;
    private int length;

    /** @param bytes that it takes */
    CalibrationCache(HeldAttention attention, long bytes) {
        this.attention = attention;
        this.bytes = bytes;
    }

    HeldAttention attention() {
        return attention;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public void advance(int tokens) {
        length += tokens;
    }

    @Override
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("cannot cut " + length + " tokens to " + newLength);
        }
        length = newLength;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long missingBytes(int tokens) {
        return 0; // all of it is there from the beginning
    }

    @Override
    public void close() {
        attention.close();
    }
}
