package dev.obr.kernels.emulator;

/**
 * A decoded kernel: its instructions, with called functions in place, and what memory they need.
 *
 * @param ranks of the instructions in the order of the control flow
 * @param registers of each warp
 * @param localBytes of each lane
 * @param sharedBytes static ones; dynamic shared memory begins after them
 * @param dynamicSharedAlign the multiple that it begins at, 16 at least
 */
record KernelCode(
        String kernel,
        Instruction[] instructions,
        int[] ranks,
        RegisterPlaces registers,
        int localBytes,
        int sharedBytes,
        int dynamicSharedAlign,
        int parameterBytes,
        ModuleVariables variables) {

    /** Where dynamic shared memory begins. */
    int dynamicSharedAt() {
        return sharedBytes + dynamicSharedAlign - 1 & -dynamicSharedAlign;
    }

    int rank(int pc) {
        return ranks[pc];
    }
}
