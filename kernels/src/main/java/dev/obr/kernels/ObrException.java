package dev.obr.kernels;

/**
 * An error that its reader can act on: one sentence that names the file or option, the value found and the remedy.
 *
 * <p>The command line prints the message alone and exits with 1; everything else that is thrown is a defect.
 */
public class ObrException extends RuntimeException {
    public ObrException(String sentence) {
        super(sentence);
    }

    public ObrException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
