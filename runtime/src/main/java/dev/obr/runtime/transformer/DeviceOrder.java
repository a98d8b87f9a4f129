package dev.obr.runtime.transformer;

/** The order in which linear layers take the components of their input, where its backend computes from. */
public interface DeviceOrder {
    /** Components of the input. */
    int size();
}
