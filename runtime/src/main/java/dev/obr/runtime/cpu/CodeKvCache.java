package dev.obr.runtime.cpu;

import dev.obr.kernels.cpu.KvTiles;
import dev.obr.models.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keys and values of one sequence as codes, in pages of the positions that attention computes together:
 *
 * <pre>
 * page p, positions 256 p to 256 p + 255:   keys:   layer 0: head 0 tiles | head 1 tiles | ..   layer 1: ..
 *                                           values: the same, behind the keys
 * </pre>
 *
 * <p>Sequences that begin alike share pages; who writes to a shared page takes a copy first. How codes lie in tiles: {@link KvTiles}.
 */
final class CodeKvCache extends CpuKvCache {
    static final int PAGE = KvTiles.BLOCK;

    private final KvTiles tiles;
    private final int heads; // of all layers
    private final int kvHeads;
    private final List<KvPage> pages = new ArrayList<>();

    CodeKvCache(ModelConfig config, KvTiles tiles, int limit, AtomicLong taken) {
        super(limit, taken);
        this.tiles = tiles;
        this.heads = config.layers() * config.kvHeads();
        this.kvHeads = config.kvHeads();
    }

    private CodeKvCache(CodeKvCache origin, int length) {
        super(origin.limit(), origin.taken());
        this.tiles = origin.tiles;
        this.heads = origin.heads;
        this.kvHeads = origin.kvHeads;
        origin.pages.subList(0, pages(length)).forEach(page -> pages.add(page.hold()));
    }

    KvTiles tiles() {
        return tiles;
    }

    int kvHeads() {
        return kvHeads;
    }

    /** From the place of one head to that of the next. */
    long headBytes() {
        return tiles.bytes(PAGE);
    }

    /** The keys of a layer's head in a page, then those of the next heads. */
    MemorySegment keys(int layer, int head, int page) {
        return place(layer * kvHeads + head, page);
    }

    /** The values, likewise. */
    MemorySegment values(int layer, int head, int page) {
        return place(heads + layer * kvHeads + head, page);
    }

    private MemorySegment place(int head, int page) {
        return pages.get(page).memory().asSlice(head * headBytes());
    }

    private static int pages(int positions) {
        return (positions + PAGE - 1) / PAGE;
    }

    private long pageBytes() {
        return 2 * heads * headBytes();
    }

    @Override
    void makeRoom(int tokens) {
        if (lastIsSharedAndWritten()) {
            int last = length() / PAGE;
            KvPage shared = pages.get(last);
            pages.set(last, shared.copy());
            shared.release();
        }
        while (pages.size() < pages(tokens)) {
            pages.add(new KvPage(pageBytes(), taken()));
        }
    }

    /** Whether the next token comes to a page that others hold too. */
    private boolean lastIsSharedAndWritten() {
        int last = length() / PAGE;
        return last < pages.size() && pages.get(last).isShared();
    }

    @Override
    CpuKvCache beginning(int length) {
        return new CodeKvCache(this, length);
    }

    @Override
    public void truncate(int newLength) {
        super.truncate(newLength);
        while (pages.size() > pages(newLength)) {
            pages.removeLast().release();
        }
    }

    @Override
    public long bytes() {
        return pages.size() * pageBytes();
    }

    @Override
    public long missingBytes(int tokens) {
        int fresh = Math.max(0, pages(length() + tokens) - pages.size());
        return (fresh + (lastIsSharedAndWritten() ? 1 : 0)) * pageBytes();
    }

    @Override
    public void close() {
        pages.forEach(KvPage::release);
        pages.clear();
    }
}
