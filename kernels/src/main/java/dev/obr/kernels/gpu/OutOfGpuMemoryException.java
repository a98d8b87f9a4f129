package dev.obr.kernels.gpu;

/** A device has no room for what was asked for: callers may ask for less. */
public final class OutOfGpuMemoryException extends GpuException {
    private static final long serialVersionUID = 1;

    public OutOfGpuMemoryException(String sentence) {
        super(sentence);
    }
}
