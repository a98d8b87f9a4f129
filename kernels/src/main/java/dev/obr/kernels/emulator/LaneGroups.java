package dev.obr.kernels.emulator;

/** The groups of a warp's lanes that do not run at the moment; no two are at the same instruction. */
final class LaneGroups {
    private final int[] pcs = new int[Warp.LANES];
    private final int[] ranks = new int[Warp.LANES];
    private final int[] masks = new int[Warp.LANES];
    private final boolean[] waiting = new boolean[Warp.LANES];
    private int count;
    /** From here on in the control flow a running group has to look at the others. */
    private int least = Integer.MAX_VALUE;

    void clear() {
        count = 0;
        update();
    }

    /** Whether a group at a rank may have met another or has passed one. */
    boolean concern(int rank) {
        return rank >= least;
    }

    /** Adds lanes at an instruction. */
    void add(int pc, int rank, int mask, boolean waits) {
        for (int i = 0; i < count; i++) {
            if (pcs[i] == pc) {
                masks[i] |= mask;
                waiting[i] = false; // more have come: it may go on
                return;
            }
        }
        pcs[count] = pc;
        ranks[count] = rank;
        masks[count] = mask;
        waiting[count++] = waits;
        update();
    }

    /** Removes the group at an instruction: its lanes, 0 if there is none. */
    int take(int pc) {
        for (int i = 0; i < count; i++) {
            if (pcs[i] == pc) {
                int mask = masks[i];
                count--;
                pcs[i] = pcs[count];
                ranks[i] = ranks[count];
                masks[i] = masks[count];
                waiting[i] = waiting[count];
                update();
                return mask;
            }
        }
        return 0;
    }

    /** The group that comes first of those that do not wait, -1 without one. */
    int earliest() {
        int best = -1;
        for (int i = 0; i < count; i++) {
            if (!waiting[i] && (best < 0 || ranks[i] < ranks[best])) {
                best = i;
            }
        }
        return best;
    }

    /** The group that comes last of those that do not wait, -1 without one. */
    int latest() {
        int best = -1;
        for (int i = 0; i < count; i++) {
            if (!waiting[i] && (best < 0 || ranks[i] > ranks[best])) {
                best = i;
            }
        }
        return best;
    }

    boolean any() {
        return count > 0;
    }

    int rank(int group) {
        return ranks[group];
    }

    int pc(int group) {
        return pcs[group];
    }

    /** Lanes have exited, so that waiting groups look again. */
    void wake() {
        for (int i = 0; i < count; i++) {
            waiting[i] = false;
        }
    }

    private void update() {
        least = Integer.MAX_VALUE;
        for (int i = 0; i < count; i++) {
            least = Math.min(least, ranks[i]);
        }
    }

    /** Where lanes are, for a message. */
    String whereabouts(int lanes, Instruction[] instructions) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            if ((masks[i] & lanes) != 0) {
                Instruction instruction = instructions[pcs[i]];
                text.append(text.isEmpty() ? "" : ", and ")
                        .append("line ")
                        .append(instruction.line())
                        .append(" \"")
                        .append(instruction.text())
                        .append('"');
            }
        }
        return text.toString();
    }
}
