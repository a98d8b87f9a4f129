package dev.obr.bench.roofline;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a GPU does in a cycle at most.
 *
 * <p>Rates of tensor cores are the datasheets' peaks by SM and cycle. L2 is NVIDIA's 5120 bytes a cycle for the A100 (its whitepaper), taken for the H100 and H200, too, and 64 bytes a cycle of each of the RTX
 * 3090's 48 and the RTX 4090's 72 slices: of all numbers here the least certain ones.
 *
 * @param label what options call it
 * @param name with which the driver's name for it ends
 * @param gigahertz of its boost clock
 * @param halfProducts multiply-adds of a multiprocessor and cycle: half floats with sums in float32
 * @param int8Products the same of bytes, dense
 * @param int4Products the same of 4-bit integers, dense; 0 where there is no such instruction
 * @param warpShare what part of these an instruction of one warp ({@code mma.sync}) reaches
 * @param dramGigabytes a second
 * @param l2Bytes a cycle, all multiprocessors
 * @param sharedKilobytes of a multiprocessor
 * @param mostThreads of a multiprocessor
 * @param mostBlocks of a multiprocessor
 */
public record Gpu(
        String label,
        String name,
        ComputeCapability capability,
        int multiprocessors,
        double gigahertz,
        int halfProducts,
        int int8Products,
        int int4Products,
        double warpShare,
        double dramGigabytes,
        double l2Bytes,
        int sharedKilobytes,
        int mostThreads,
        int mostBlocks) {
    public static final Gpu A100 = new Gpu(
            "a100",
            "A100-SXM4-80GB",
            ComputeCapability.SM_80,
            108,
            1.41,
            1024,
            2048,
            4096,
            1,
            2039,
            5120,
            164,
            2048,
            32);

    /** Its peaks are those of {@code wgmma}, which these kernels do not use: one warp's products reach about 62 % of it (arXiv 2402.13499). */
    public static final Gpu H100 = new Gpu(
            "h100",
            "H100 80GB HBM3",
            ComputeCapability.SM_90,
            132,
            1.83,
            2048,
            4096,
            0,
            0.62,
            3350,
            5120,
            228,
            2048,
            32);

    /** An H100 with faster memory. */
    public static final Gpu H200 =
            new Gpu("h200", "H200", ComputeCapability.SM_90, 132, 1.83, 2048, 4096, 0, 0.62, 4800, 5120, 228, 2048, 32);

    public static final Gpu RTX_3090 = new Gpu(
            "rtx3090", "RTX 3090", ComputeCapability.SM_86, 82, 1.695, 256, 1024, 2048, 1, 936, 48 * 64, 100, 1536, 16);

    public static final Gpu RTX_4090 = new Gpu(
            "rtx4090",
            "RTX 4090",
            ComputeCapability.SM_89,
            128,
            2.52,
            256,
            1024,
            2048,
            1,
            1008,
            72 * 64,
            100,
            1536,
            24);

    /** All that there are numbers of. */
    public static final List<Gpu> ALL = List.of(A100, H100, H200, RTX_3090, RTX_4090);

    /** The GPU that options call {@code label}. */
    public static Gpu of(String label) {
        return ALL.stream()
                .filter(gpu -> gpu.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new ObrException("there are no peaks of a GPU '" + label + "'; take one of "
                        + ALL.stream().map(Gpu::label).collect(Collectors.joining(", "))));
    }

    /** The GPU that a driver calls so, where its peaks are known: {@code NVIDIA A100-SXM4-80GB}. */
    public static Optional<Gpu> named(String deviceName) {
        return ALL.stream().filter(gpu -> deviceName.endsWith(gpu.name)).findFirst();
    }

    /** Cycles a second. */
    public double hertz() {
        return gigahertz * 1e9;
    }

    /** Bytes of memory a cycle. */
    public double dramBytes() {
        return dramGigabytes / gigahertz;
    }

    /** Bytes of L2 that one multiprocessor's share of it is a cycle. */
    public double l2Share() {
        return l2Bytes / multiprocessors;
    }
}
