package dev.obr.kernels.cpu;

/** An instruction set that kernels in C are compiled for. */
interface KernelSet {
    /** What the project's own tests have shown of kernels compiled for it. */
    enum Tested {
        ON_HARDWARE(""),
        IN_EMULATION("compiled and tested in emulation only");

        private final String note;

        Tested(String note) {
            this.note = note;
        }

        /** For people; empty where there is nothing to say. */
        String note() {
            return note;
        }
    }

    /**
     * What is known of a set.
     *
     * @param suffix how the names of its C functions end
     * @param description for people
     * @param level the least cap that allows it
     */
    record Facts(String suffix, String description, CpuCap level, Tested tested) {}

    Facts facts();

    default String suffix() {
        return facts().suffix;
    }

    default String description() {
        return facts().description;
    }
}
