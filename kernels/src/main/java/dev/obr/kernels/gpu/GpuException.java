package dev.obr.kernels.gpu;

import dev.obr.kernels.ObrException;

/** A device, or a library that uses it, refused a call or failed: what was asked for may well succeed elsewhere. */
public class GpuException extends ObrException {
    private static final long serialVersionUID = 1;

    public GpuException(String sentence) {
        super(sentence);
    }
}
