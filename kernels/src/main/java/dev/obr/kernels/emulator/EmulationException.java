package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;

/**
 * A kernel did what it must not do: read what nobody wrote, raced, diverged before an instruction of the whole warp, waited for ever. The message names the kernel, the line of the PTX and its
 * text, the thread block, the warp and where there is one the lane.
 */
public final class EmulationException extends ObrException {
    private final String kernel;
    private final int line;

    EmulationException(String kernel, int line, String sentence) {
        super(sentence);
        this.kernel = kernel;
        this.line = line;
    }

    public String kernel() {
        return kernel;
    }

    /** In the text of the module, from 1; 0 where the error is of no one instruction. */
    public int line() {
        return line;
    }
}
