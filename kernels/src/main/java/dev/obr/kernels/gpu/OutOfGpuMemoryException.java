package dev.obr.kernels.gpu;

import dev.obr.kernels.ObrException;

/** A device has no room for what was asked for: callers may ask for less. */
public final class OutOfGpuMemoryException extends ObrException {
    private static final long serialVersionUID = 1;

    public OutOfGpuMemoryException(String sentence) {
        super(sentence);
    }
}
