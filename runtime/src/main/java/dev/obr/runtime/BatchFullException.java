package dev.obr.runtime;

import dev.obr.kernels.ObrException;

/** As many requests wait as may. */
public final class BatchFullException extends ObrException {
    private static final long serialVersionUID = 1;

    BatchFullException(int waiting) {
        super(waiting + " requests wait already, as many as may: ask again later.");
    }
}
