package dev.obr.runtime.transformer;

/** A weight W [rows, cols] in the layout and the memory that its backend computes from. */
public interface DeviceWeight {
    /** Output channels. */
    int rows();

    /** Input channels. */
    int cols();
}
