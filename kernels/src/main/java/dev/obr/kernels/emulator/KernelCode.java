package dev.obr.kernels.emulator;

import java.util.Map;

/**
 * A decoded kernel: its instructions, with called functions in place, and how many registers they need.
 *
 * @param ranks of the instructions in the order of the control flow
 * @param words 32-bit places: 32 for each register, constant and special register
 * @param longs 64-bit places
 * @param predicates one a predicate
 * @param wordConstants value by place of its first lane
 * @param specials by place of its first lane
 * @param localBytes of each lane
 * @param sharedBytes static ones; dynamic shared memory begins after them
 * @param dynamicSharedAlign the multiple that it begins at, 16 at least
 */
record KernelCode(
        String kernel,
        Instruction[] instructions,
        int[] ranks,
        int words,
        int longs,
        int predicates,
        Map<Integer, Integer> wordConstants,
        Map<Integer, Long> longConstants,
        Map<Integer, SpecialRegister> specials,
        Map<Integer, Boolean> predicateConstants,
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

    /** Fills the places of constants and special registers. */
    void fill(Warp warp) {
        wordConstants.forEach((place, value) -> java.util.Arrays.fill(warp.words, place, place + Warp.LANES, value));
        longConstants.forEach((place, value) -> java.util.Arrays.fill(warp.longs, place, place + Warp.LANES, value));
        predicateConstants.forEach((place, value) -> warp.predicates[place] = value ? -1 : 0);
        specials.forEach((place, register) -> {
            for (int lane = 0; lane < Warp.LANES; lane++) {
                warp.words[place + lane] = register.value(warp, lane);
            }
        });
    }
}
