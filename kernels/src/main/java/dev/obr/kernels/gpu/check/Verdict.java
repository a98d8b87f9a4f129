package dev.obr.kernels.gpu.check;

/**
 * What became of one kernel's check.
 *
 * @param kernel by name
 * @param cases that were run, up to the first that is not right
 * @param values that were compared
 * @param largestDifference of them
 * @param says which case is wrong in what, or why the kernel was not run; empty where all is right
 */
public record Verdict(String kernel, Outcome outcome, int cases, long values, double largestDifference, String says) {
    /** How a check ends. */
    public enum Outcome {
        OK("ok"),
        /** It computes something else. */
        WRONG("WRONG"),
        /** The device refuses it, or fails with it. */
        FAILED("FAILED"),
        /** Its instructions are not this device's: another kernel does its work. */
        NOT_FOR_DEVICE("not for this GPU"),
        /** The device was lost before. */
        NOT_REACHED("not reached");

        private final String label;

        Outcome(String label) {
            this.label = label;
        }

        public String label() {
            return label;
        }
    }

    /** Whether nothing speaks against the device. */
    public boolean passed() {
        return outcome == Outcome.OK || outcome == Outcome.NOT_FOR_DEVICE;
    }
}
