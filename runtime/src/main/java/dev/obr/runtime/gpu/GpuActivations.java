package dev.obr.runtime.gpu;

import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.LogitRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a step leaves in the device's memory on its way, one row a token; the next step overwrites it.
 *
 * @param ids int32 [tokens]
 * @param places int32 [tokens, 2]: slot and position
 * @param residual fp16 [tokens, hidden]
 * @param codes of a linear layer's input
 * @param scales float32 [tokens], theirs
 * @param projected fp16 [tokens, q | k | v], and [tokens, gate | up]
 * @param queries float32 [tokens, heads · headDim], rotated
 * @param mixed float32 [tokens, heads · headDim]
 * @param normed fp16 [{@link LogitRows#BLOCK}, hidden], the head's input
 * @param logits float32 [{@link LogitRows#BLOCK}, table rows]
 * @param likeliest int32 [{@link LogitRows#BLOCK}]
 */
record GpuActivations(
        GpuMemory ids,
        GpuMemory places,
        GpuMemory residual,
        GpuMemory codes,
        GpuMemory scales,
        GpuMemory projected,
        GpuMemory queries,
        GpuMemory mixed,
        GpuMemory normed,
        GpuMemory logits,
        GpuMemory likeliest) {
    /**
     * @param tokens of a step at most
     * @param widest features of a product at most
     */
    static GpuActivations allocate(GpuDevice device, ModelConfig config, int tokens, int widest) {
        long n = tokens;
        int input = Math.max(config.hiddenSize(), Math.max(config.queryWidth(), config.intermediateSize()));
        return new GpuActivations(
                device.allocate(4 * n),
                device.allocate(8 * n),
                device.allocate(2 * n * config.hiddenSize()),
                device.allocate(n * TokenLayout.INT8.rowBytes(input)),
                device.allocate(4 * n),
                device.allocate(2 * n * widest),
                device.allocate(4 * n * config.queryWidth()),
                device.allocate(4 * n * config.queryWidth()),
                device.allocate(2L * LogitRows.BLOCK * config.hiddenSize()),
                device.allocate(4L * LogitRows.BLOCK * GpuUpload.tableRows(config.vocabularySize())),
                device.allocate(4L * LogitRows.BLOCK));
    }

    /** Writes the tokens of a step and where they stand; {@code arena} lives until the stream has passed. */
    void write(GpuStream stream, Arena arena, int[] tokens, int[] slotsAndPositions) {
        MemorySegment idBytes = arena.allocateFrom(ValueLayout.JAVA_INT, tokens);
        MemorySegment placeBytes = arena.allocateFrom(ValueLayout.JAVA_INT, slotsAndPositions);
        stream.copyIn(idBytes, ids, 0);
        stream.copyIn(placeBytes, places, 0);
    }
}
