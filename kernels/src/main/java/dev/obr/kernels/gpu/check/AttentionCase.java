package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.attention.KvAttention;
import dev.obr.kernels.gpu.attention.KvCodeCache;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Attention over cached codes.
 *
 * @param group query heads of one KV head
 * @param lengths positions of each sequence
 * @param tokens last ones of each sequence that attend: 1 by the kernels for a step, more by those for a prompt, which takes one sequence
 */
record AttentionCase(
        NormQuantizer.Input output,
        int headDim,
        int group,
        int kvHeads,
        List<Integer> lengths,
        int tokens,
        Extent extent)
        implements KernelCase {
    private static final NormQuantizer.Input F16 = NormQuantizer.Input.F16;
    private static final NormQuantizer.Input F32 = NormQuantizer.Input.F32;

    static KernelCheck decode() {
        return new KernelCheck(
                "decode_" + KernelModule.ATTENTION.label(),
                KernelModule.ATTENTION,
                List.of(
                        new AttentionCase(F32, 8, 2, 4, List.of(1, 5, 2), 1, QUICK),
                        new AttentionCase(F16, 64, 3, 3, List.of(70, 256), 1, QUICK),
                        new AttentionCase(F32, 128, 4, 2, List.of(70, 260), 1, QUICK),
                        new AttentionCase(F32, 8, 1, 1, List.of(700), 1, USUAL),
                        new AttentionCase(F16, 32, 3, 2, List.of(33, 1), 1, USUAL),
                        new AttentionCase(F32, 64, 8, 1, List.of(9), 1, USUAL),
                        new AttentionCase(F32, 128, 2, 2, List.of(300), 1, USUAL),
                        new AttentionCase(F16, 128, 8, 1, List.of(515), 1, USUAL),
                        new AttentionCase(F16, 128, 1, 32, List.of(2047, 1, 700, 256), 1, DEVICE),
                        new AttentionCase(
                                F32,
                                64,
                                4,
                                8,
                                IntStream.range(1, 33).map(n -> 61 * n).boxed().toList(),
                                1,
                                DEVICE)));
    }

    static KernelCheck prefill() {
        return new KernelCheck(
                "prefill_" + KernelModule.ATTENTION.label(),
                KernelModule.ATTENTION,
                List.of(
                        new AttentionCase(F32, 8, 2, 4, List.of(12), 12, QUICK),
                        new AttentionCase(F16, 64, 3, 3, List.of(40), 40, QUICK),
                        new AttentionCase(F32, 128, 1, 1, List.of(270), 3, QUICK),
                        new AttentionCase(F32, 8, 1, 2, List.of(260), 17, USUAL),
                        new AttentionCase(F16, 32, 3, 2, List.of(35), 5, USUAL),
                        new AttentionCase(F32, 64, 4, 1, List.of(513), 3, USUAL),
                        new AttentionCase(F32, 128, 4, 2, List.of(9), 9, USUAL),
                        new AttentionCase(F16, 128, 8, 1, List.of(258), 4, USUAL),
                        new AttentionCase(F16, 128, 4, 8, List.of(300), 300, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        int heads = group * kvHeads;
        int capacity =
                lengths.stream().mapToInt(n -> Math.ceilDiv(n, 8) * 8).max().orElseThrow();
        Sequences sequences = new Sequences(
                headDim,
                group,
                kvHeads,
                capacity,
                lengths.stream().mapToInt(n -> n).toArray(),
                tokens);
        float[] expected = sequences.twin();
        try (KvCodeCache cache = sequences.upload(data.device(), data.stream());
                KvAttention attention =
                        new KvAttention(data.device(), output, heads, kvHeads, headDim, capacity, lengths.size())) {
            GpuMemory q = data.upload(MemorySegment.ofArray(sequences.queries()));
            GpuMemory places = data.upload(MemorySegment.ofArray(sequences.places()));
            GpuMemory y = data.results((long) expected.length * output.bytes());
            if (tokens == 1) {
                attention.decode(data.stream(), q, places, lengths.size(), capacity, cache, y);
            } else {
                attention.prefill(data.stream(), q, places, tokens, cache, y);
            }
            return compare(expected, data.download(y), heads);
        }
    }

    private Comparison compare(float[] expected, MemorySegment found, int heads) {
        return Comparison.equal(
                        expected.length,
                        output == F16
                                ? i -> Float.float16ToFloat(found.getAtIndex(DeviceData.HALF, i))
                                : i -> found.getAtIndex(DeviceData.FLOAT, i),
                        output == F16 ? i -> Float.float16ToFloat(Float.floatToFloat16(expected[i])) : i -> expected[i],
                        i -> "token " + i / headDim / heads + ", head " + i / headDim % heads + ", component "
                                + i % headDim)
                .and(DeviceData.guard(found));
    }

    @Override
    public String toString() {
        return group * kvHeads + " query and " + kvHeads + " KV heads of " + headDim + " components, positions "
                + lengths + ", tokens of each: " + tokens + ", results " + output;
    }
}
