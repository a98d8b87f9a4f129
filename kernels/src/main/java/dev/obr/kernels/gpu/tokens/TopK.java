package dev.obr.kernels.gpu.tokens;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuKernel;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuModule;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.KernelArguments;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.LaunchShape;
import dev.obr.kernels.gpu.Rows;

/** Launches the search of each row's largest logits, of parts of the vocabulary and then among those: {@code topk_part}, {@code topk_merge}. */
public final class TopK implements AutoCloseable {
    /** Logits that can be kept. */
    public static final int MOST = 256;

    private static final int PART = 8192; // logits of a thread block
    private static final int MOST_PARTS = 64;
    private static final int PART_THREADS = 512;
    private static final int MERGE_THREADS = 1024;

    private final int parts;
    private final Candidates candidates;
    private final GpuModule module;
    private final GpuKernel part;
    private final GpuKernel merge;
    private final GpuMemory keys; // u64 [rows, parts, k]
    private final GpuMemory weights; // float32 [rows, parts, 2]

    /**
     * @param rows of logits at most
     * @param vocabulary logits of a row
     * @param k of them to keep; all where the vocabulary has no more
     */
    public TopK(GpuDevice device, int rows, int vocabulary, int k) {
        this(device, KernelModule.TOPK.load(device), rows, vocabulary, k);
    }

    TopK(GpuDevice device, GpuModule module, int rows, int vocabulary, int k) {
        if (rows < 1 || rows > 65535 || vocabulary < 1 || vocabulary > PART * MOST_PARTS || k < 1 || k > MOST) {
            throw new ObrException("the " + k + " largest of " + vocabulary + " logits in " + rows
                    + " rows are asked for; 1 to " + MOST + " of 1 to " + PART * MOST_PARTS
                    + " in 1 to 65535 rows can be");
        }
        this.parts = Math.ceilDiv(vocabulary, PART);
        this.candidates = Candidates.allocate(device, rows, vocabulary, Math.min(k, vocabulary));
        this.module = module;
        this.part = module.kernel("topk_part");
        this.merge = module.kernel("topk_merge");
        this.keys = device.allocate((long) Long.BYTES * rows * parts * candidates.k());
        this.weights = device.allocate(2L * Float.BYTES * rows * parts);
    }

    /** What {@link #find} finds; closed with this. */
    public Candidates candidates() {
        return candidates;
    }

    /** Queues the search in {@code rows} rows of float32 logits. */
    public void find(GpuStream stream, Rows logits, int rows) {
        if (rows < 1 || rows > candidates.rows()) {
            throw new ObrException(
                    "the largest logits of " + rows + " rows are asked for; 1 to " + candidates.rows() + " can be");
        }
        logits.check("logits", rows, candidates.vocabulary(), Float.BYTES);
        stream.launch(
                part,
                LaunchShape.of(parts, rows, PART_THREADS, 0),
                new KernelArguments()
                        .pointer(logits.memory(), logits.first() * Float.BYTES)
                        .i32(logits.stride())
                        .i32(candidates.vocabulary())
                        .i32(candidates.k())
                        .pointer(keys)
                        .pointer(weights));
        stream.launch(
                merge,
                LaunchShape.of(rows, MERGE_THREADS, 0),
                new KernelArguments()
                        .pointer(keys)
                        .pointer(weights)
                        .i32(parts)
                        .i32(candidates.k())
                        .pointer(candidates.values())
                        .pointer(candidates.tokens())
                        .pointer(candidates.totals()));
    }

    @Override
    public void close() {
        keys.close();
        weights.close();
        candidates.close();
        module.close();
    }
}
