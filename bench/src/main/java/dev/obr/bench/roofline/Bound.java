package dev.obr.bench.roofline;

/** What a launch waits for. */
public enum Bound {
    TENSOR("tensor cores"),
    ISSUE("instruction issue"),
    SHARED("shared memory"),
    L2("L2"),
    DRAM("memory"),
    /** Too little of anything: the way to memory and back is most of its time. */
    LATENCY("latency");

    private final String label;

    Bound(String label) {
        this.label = label;
    }

    /** What tables call it. */
    public String label() {
        return label;
    }
}
