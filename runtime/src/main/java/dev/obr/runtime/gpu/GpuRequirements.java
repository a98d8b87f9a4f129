package dev.obr.runtime.gpu;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuDevice;
import dev.obr.kernels.gpu.attention.KvAttention;
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
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What a GPU asks of a model, each refusal one sentence; found out before anything is copied. */
public final class GpuRequirements {
    private GpuRequirements() {}

    /** Why there are no kernels for a model, whatever the device; nothing where there are. */
    public static Optional<String> refusal(Model model) {
        ModelConfig config = model.config();
        if (model.quantization() == null) {
            return Optional.of(model.name() + " is not packed, and GPUs run packed models");
        }
        if (config.hiddenSize() % 8 != 0 || config.queryWidth() % 8 != 0) {
            return Optional.of(model.name() + " has activations of " + config.hiddenSize() + " and "
                    + config.queryWidth() + " components, but GPU kernels take multiples of 8");
        }
        if (config.intermediateSize() > HadamardQuantizer.MOST_COLUMNS) {
            return Optional.of(model.name() + " has feed-forward layers of " + config.intermediateSize()
                    + " components, but GPU kernels take " + HadamardQuantizer.MOST_COLUMNS + " at most");
        }
        if (!KvCodeCache.HEAD_DIMS.contains(config.headDim())
                || config.heads() / config.kvHeads() > KvAttention.MOST_GROUP) {
            return Optional.of(model.name() + " has " + config.heads() / config.kvHeads() + " query heads of "
                    + config.headDim() + " components to a KV head, but there is GPU attention for 1 to "
                    + KvAttention.MOST_GROUP + " of " + sorted(KvCodeCache.HEAD_DIMS));
        }
        for (Map.Entry<String, PackedMatrix> packed : model.packed().entrySet()) {
            if (packed.getValue().bits() != 4 && !packed.getKey().equals(ExpectedWeights.HEAD)) {
                return Optional.of(packed.getKey() + " has codes of "
                        + packed.getValue().bits() + " bits, but GPU kernels take weights of 4");
            }
        }
        return Optional.empty();
    }

    private static String sorted(Set<Integer> numbers) {
        return numbers.stream().sorted().map(String::valueOf).collect(Collectors.joining(", "));
    }

    /** Why a device does not run the kernels; nothing where it does. */
    public static Optional<String> refusal(String device, ComputeCapability capability) {
        return capability.compareTo(ComputeCapability.SM_80) < 0 || capability.major() > 9
                ? Optional.of(device + " is " + capability + ", but the kernels need sm_80 (Ampere) to sm_90 (Hopper)")
                : Optional.empty();
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
        PackedMatrix head = model.packed().get(ExpectedWeights.HEAD);
        weights += tables + (config.tiedEmbeddings() ? 0 : head == null ? tables : head.byteSize());
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
                    + device.totalBytes() + " are free: use a smaller --context, or the CPU (--device cpu).");
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
