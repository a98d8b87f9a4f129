package dev.obr.runtime.gpu;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.kernels.gpu.hadamard.HadamardQuantizer;
import dev.obr.kernels.gpu.linear.SparseFragments;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.ExpectedWeights;
import dev.obr.models.Model;
import dev.obr.models.ModelConfig;
import dev.obr.runtime.transformer.LogitRows;
import java.util.Map;

/** What a GPU asks of a model, each refusal one sentence; found out before anything is copied. */
public final class GpuRequirements {
    private static final String ELSE = ": run it on the CPU (--device cpu)";

    private GpuRequirements() {}

    /**
     * Makes sure that there are kernels for a model, whatever the device.
     *
     * @throws ObrException where there are none
     */
    public static void check(Model model) {
        ModelConfig config = model.config();
        if (model.quantization() == null) {
            throw new ObrException(model.name()
                    + " is not packed, and GPUs run packed models: compress it first, or leave --device out");
        }
        if (config.qkNorm()) {
            throw new ObrException(
                    model.name() + " normalises queries and keys, for which there is no GPU kernel" + ELSE);
        }
        if (config.hiddenSize() % 8 != 0 || config.queryWidth() % 8 != 0) {
            throw new ObrException(model.name() + " has activations of " + config.hiddenSize() + " and "
                    + config.queryWidth() + " components, but GPU kernels take multiples of 8" + ELSE);
        }
        if (config.intermediateSize() > HadamardQuantizer.MOST_COLUMNS) {
            throw new ObrException(model.name() + " has feed-forward layers of " + config.intermediateSize()
                    + " components, but GPU kernels take " + HadamardQuantizer.MOST_COLUMNS + " at most" + ELSE);
        }
        for (Map.Entry<String, PackedMatrix> packed : model.packed().entrySet()) {
            if (packed.getValue().bits() != 4 && !packed.getKey().equals(ExpectedWeights.HEAD)) {
                throw new ObrException(packed.getKey() + " has codes of "
                        + packed.getValue().bits() + " bits, but GPU kernels take weights of 4" + ELSE);
            }
        }
    }

    /**
     * Makes sure that a device runs the kernels.
     *
     * @throws ObrException where it does not
     */
    public static void check(GpuDevice device) {
        ComputeCapability capability = device.capability();
        if (capability.compareTo(ComputeCapability.SM_80) < 0 || capability.major() > 9) {
            throw new ObrException(device.name() + " is " + capability
                    + ", but the kernels need sm_80 (Ampere) to sm_90 (Hopper)" + ELSE);
        }
    }

    /**
     * Makes sure that a model fits the device's free memory.
     *
     * @param capacity positions of a sequence
     * @param chunk tokens of a step
     * @param widest features of a product
     * @throws ObrException naming the needed and the free bytes where it does not
     */
    static void checkMemory(Model model, GpuDevice device, int capacity, int chunk, int widest) {
        ModelConfig config = model.config();
        long weights = model.packed().entrySet().stream()
                .filter(packed -> !packed.getKey().equals(ExpectedWeights.HEAD))
                .mapToLong(packed -> bytes(packed.getValue()))
                .sum();
        long tables = 2L * GpuUpload.tableRows(config.vocabularySize()) * config.hiddenSize();
        weights += config.tiedEmbeddings() ? tables : 2 * tables;
        long cache = config.layers() * KvCodeCache.slotBytes(config.kvHeads(), config.headDim(), capacity);
        long row = 2L * config.hiddenSize() + 2L * widest + 8L * config.queryWidth();
        long activations = chunk * (row + TokenLayout.INT8.rowBytes(config.intermediateSize()))
                + LogitRows.BLOCK * (4L * config.vocabularySize() + 2L * config.hiddenSize())
                + 4L * capacity * config.headDim();
        long needed = weights + cache + activations;
        if (needed > device.freeBytes()) {
            throw new ObrException(model.name() + " needs " + needed + " bytes on " + device.name() + " (" + weights
                    + " of weights, " + cache + " of a cache for " + capacity + " tokens), but " + device.freeBytes()
                    + " of "
                    + device.totalBytes() + " are free: use a smaller --context, or the CPU (--device cpu)");
        }
    }

    /** Of a weight in the kernels' layout, without what bitmaps are rounded up by. */
    private static long bytes(PackedMatrix w) {
        long blocks = Math.ceilDiv(w.rows(), SparseFragments.BLOCK_FEATURES) * (long) SparseFragments.steps(w.cols());
        int block = switch (w.pattern()) {
            case PAIRS_4_OF_8 -> 640;
            case TWO_OF_FOUR -> 768;
            case DENSE -> 1024;
            default -> 780;
        };
        return blocks * block + 4L * w.rows();
    }
}
