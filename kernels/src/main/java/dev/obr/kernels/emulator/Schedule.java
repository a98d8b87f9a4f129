package dev.obr.kernels.emulator;

/** In which order the warps of a thread block run between two barriers. A kernel without races computes the same under each. */
public enum Schedule {
    /** One instruction of each warp in turn. */
    ROUND_ROBIN,
    /** The first warp as far as it goes (to a barrier or its end), then the next. */
    GREEDY,
    /** As {@link #GREEDY}, but from the last warp to the first; thread blocks too. */
    REVERSED
}
