package dev.obr.kernels.emulator;

import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Notes who wrote each byte of global memory during a launch, and finds two writes of one byte that nothing orders: by two thread blocks, or by two warps of a block with no barrier between.
 *
 * <p>Not looked at: atomic updates and volatile stores; reads; blocks that have run a fence of the whole device (they may well be ordered by a counter, as the last block of a reduction is).
 */
final class GlobalRaces {
    private static final int PAGE = 1024;

    /**
     * Who wrote a page: block, warp and the warp's count of barriers; 0 in {@code blocks} is nobody. Kept for words of 4 bytes until the first write of less, from when on it is kept for bytes.
     */
    private static final class Page {
        private int granularity = 2;
        private int[] blocks = new int[PAGE >> granularity];
        private int[] phases = new int[PAGE >> granularity];

        void refine() {
            int times = 1 << granularity;
            int[] finerBlocks = new int[PAGE];
            int[] finerPhases = new int[PAGE];
            for (int i = 0; i < PAGE; i++) {
                finerBlocks[i] = blocks[i / times];
                finerPhases[i] = phases[i / times];
            }
            granularity = 0;
            blocks = finerBlocks;
            phases = finerPhases;
        }
    }

    private final ConcurrentHashMap<Long, Page> pages = new ConcurrentHashMap<>();

    void written(Warp warp, Request request) {
        ThreadBlock block = warp.block;
        if (block.fenced()) {
            return;
        }
        int number = block.number() + 1;
        int phase = block.memory().shared().order().label(warp.index) << 5 | warp.index;
        int bytes = request.bytes();
        int left = request.mask;
        while (left != 0) {
            long index = request.addresses[Integer.numberOfTrailingZeros(left)] / PAGE;
            Page page = pages.computeIfAbsent(index, unused -> new Page());
            synchronized (page) {
                for (int m = left; m != 0; m &= m - 1) {
                    int lane = Integer.numberOfTrailingZeros(m);
                    long address = request.addresses[lane];
                    if (address / PAGE != index) {
                        continue;
                    }
                    left &= ~(1 << lane);
                    note(page, (int) (address % PAGE), bytes, number, phase, warp, lane, address);
                }
            }
        }
    }

    private static void note(Page page, int at, int bytes, int number, int phase, Warp warp, int lane, long address) {
        if (bytes < 1 << page.granularity) {
            page.refine();
        }
        int from = at >> page.granularity;
        int end = at + bytes >> page.granularity;
        for (int i = from; i < end; i++) {
            if (page.blocks[i] != 0 && races(page, i, number, warp.block, warp.index)) {
                throw new Fault(
                        lane,
                        "writes a byte at 0x" + Long.toHexString(address - at + ((long) i << page.granularity))
                                + " that "
                                + (page.blocks[i] == number
                                        ? "warp " + (page.phases[i] & 31)
                                                + " of the block has written with no barrier between"
                                        : "thread block number " + (page.blocks[i] - 1) + " has written too"));
            }
        }
        Arrays.fill(page.blocks, from, end, number);
        Arrays.fill(page.phases, from, end, phase);
    }

    private static boolean races(Page page, int i, int number, ThreadBlock block, int warp) {
        return page.blocks[i] != number
                || !block.memory().shared().order().ordered(page.phases[i] & 31, page.phases[i] >>> 5, warp);
    }
}
