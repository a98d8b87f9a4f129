package dev.obr.kernels.emulator;

/** What is wrong with an instruction of a module; whoever knows its line makes an error of it. */
@SuppressWarnings("serial")
final class DecodeFault extends RuntimeException {
    DecodeFault(String what) {
        super(what, null, false, false);
    }

    String what() {
        return String.valueOf(getMessage());
    }
}
