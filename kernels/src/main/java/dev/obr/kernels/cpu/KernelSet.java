package dev.obr.kernels.cpu;

/** An instruction set that kernels in C are compiled for. */
interface KernelSet {
    /** What the project's own tests have shown of kernels compiled for it. */
    enum Tested {
        ON_HARDWARE(""),
        IN_EMULATION("compiled and tested in emulation only"),
        NOT_RUN("compiled only, no test ran it");

        private final String note;

        Tested(String note) {
            this.note = note;
        }

        /** For people; empty where there is nothing to say. */
        String note() {
            return note;
        }
    }

    /** How the names of its C functions end. */
    String suffix();

    /** For people. */
    String description();

    /** The least cap that allows it. */
    CpuCap level();

    Tested tested();
}
