package dev.obr.kernels.emulator;

/** What a running instruction must not do; the thread block adds where it happened. */
@SuppressWarnings("serial")
final class Fault extends RuntimeException {
    private final int lane;

    /** @param lane of the warp, or -1 where it is of no one lane */
    Fault(int lane, String what) {
        super(what, null, false, false);
        this.lane = lane;
    }

    int lane() {
        return lane;
    }

    String what() {
        return String.valueOf(getMessage());
    }
}
