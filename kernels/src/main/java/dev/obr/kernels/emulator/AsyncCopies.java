package dev.obr.kernels.emulator;

import java.util.ArrayList;
import java.util.List;

/**
 * The cp.async of a warp that have been issued and not been waited for. What they bring is written at the wait and not before, so that a wait that is missing cannot be overlooked. Each lane has
 * groups of its own: lanes that commit together share them.
 */
final class AsyncCopies {
    /** One instruction's copies; lanes leave the mask as they are done. */
    private record Copy(int mask, int bytes, int[] to, long[] low, long[] high) {
        Copy only(int lanes) {
            return new Copy(mask & lanes, bytes, to, low, high);
        }
    }

    private static final class Group {
        private int lanes;
        private final List<Copy> copies = new ArrayList<>();
    }

    private final Warp warp;
    private final List<Copy> open = new ArrayList<>();
    /** The oldest first. */
    private final List<Group> groups = new ArrayList<>();

    AsyncCopies(Warp warp) {
        this.warp = warp;
    }

    void clear() {
        open.clear();
        groups.clear();
    }

    /** Notes copies of 4, 8 or 16 bytes. */
    void add(int mask, int bytes, int[] to, long[] low, long[] high) {
        open.add(new Copy(mask, bytes, to, low, high));
    }

    /** These lanes close a group, perhaps an empty one. */
    void commit(int mask) {
        Group group = new Group();
        group.lanes = mask;
        List<Copy> left = new ArrayList<>();
        for (Copy copy : open) {
            group.copies.add(copy.only(mask));
            if ((copy.mask & ~mask) != 0) {
                left.add(copy.only(~mask));
            }
        }
        open.clear();
        open.addAll(left);
        groups.add(group);
    }

    /** These lanes wait until all but their newest groups have come. */
    void await(int mask, int newest) {
        int[] seen = new int[Warp.LANES];
        // Later copies overwrite earlier ones, so that what is done is found from the newest and written from the
        // oldest on.
        int[] done = new int[groups.size()];
        for (int i = groups.size() - 1; i >= 0; i--) {
            for (int m = groups.get(i).lanes & mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                if (seen[lane]++ >= newest) {
                    done[i] |= 1 << lane;
                }
            }
        }
        for (int i = 0; i < done.length; i++) {
            for (Copy copy : groups.get(i).copies) {
                write(copy.only(done[i]));
            }
            groups.get(i).lanes &= ~done[i];
        }
        groups.removeIf(group -> group.lanes == 0);
    }

    private void write(Copy copy) {
        for (int m = copy.mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            warp.block.memory().shared().arrive(warp, copy.to[lane], copy.bytes, copy.low[lane], copy.high[lane]);
        }
    }
}
