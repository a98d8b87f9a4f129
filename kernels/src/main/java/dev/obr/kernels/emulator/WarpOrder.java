package dev.obr.kernels.emulator;

import java.util.Arrays;

/**
 * What happened before what in a thread block, by vector clocks: each warp has a clock that goes on at every barrier, and knows up to which reading of each other's clock it has waited.
 */
final class WarpOrder {
    private final int warps;
    private final int[] clocks;
    private final int[][] known;

    WarpOrder(int warps) {
        this.warps = warps;
        this.clocks = new int[warps];
        this.known = new int[warps][warps];
    }

    void reset() {
        Arrays.fill(clocks, 1);
        for (int[] row : known) {
            Arrays.fill(row, 0);
        }
    }

    /** The warp's clock: what it does now bears this label. */
    int label(int warp) {
        return clocks[warp];
    }

    /** Whether what one warp did under a label came before what another does now. */
    boolean ordered(int warp, int label, int now) {
        return warp == now || known[now][warp] >= label;
    }

    /** A warp arrives at a barrier: what it has done and knows is told there. */
    void arrive(int warp, int[] barrier) {
        for (int i = 0; i < warps; i++) {
            barrier[i] = Math.max(barrier[i], known[warp][i]);
        }
        barrier[warp] = Math.max(barrier[warp], clocks[warp]);
        clocks[warp]++;
    }

    /** A warp leaves a barrier: it knows what was told there. */
    void leave(int warp, int[] barrier) {
        for (int i = 0; i < warps; i++) {
            known[warp][i] = Math.max(known[warp][i], barrier[i]);
        }
    }
}
