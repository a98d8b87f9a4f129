package dev.obr.bench;

import dev.obr.kernels.emulator.EmulatedDevice;
import dev.obr.kernels.emulator.EmulatedDeviceOptions;
import dev.obr.kernels.emulator.EmulatorOptions;
import dev.obr.kernels.emulator.LaunchCounters;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.gpu.linear.SparseFragments;
import dev.obr.kernels.gpu.linear.SparseGemm;
import dev.obr.kernels.gpu.linear.SparseWeights;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.kernels.packed.Packing;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;

/** How fast the PTX emulator runs the sparse product of 4:8p weights [512, 1024] with 4-bit codes of 128 tokens: what testing kernels without a GPU costs. */
public final class EmulatorBench {
    private static final int FEATURES = 512;
    private static final int COLUMNS = 1024;
    private static final int TOKENS = 128;
    private static final int ROUNDS = 3;

    /**
     * One launch's cost.
     *
     * @param instructions of warps, products among them
     * @param products of tensor cores
     * @param seconds of the best of some rounds
     */
    public record Speed(long instructions, long products, double seconds) {}

    private EmulatorBench() {}

    /**
     * @param threads of the host
     * @param check whether races and reads of what nobody wrote are looked for
     */
    public static Speed measure(int threads, boolean check) {
        EmulatorOptions options = EmulatorOptions.checked().withThreads(threads).withCheck(check);
        try (Arena arena = Arena.ofConfined();
                EmulatedDevice device = new EmulatedDevice(
                        EmulatedDeviceOptions.checked(ComputeCapability.SM_80).withEmulator(options));
                GpuStream stream = device.newStream();
                SparseGemm gemm = new SparseGemm(device, Pattern.PAIRS_4_OF_8, TokenLayout.INT4);
                SparseWeights w = SparseWeights.upload(SparseFragments.of(weight(), arena), device, stream);
                GpuMemory x = device.allocate((long) TOKENS * TokenLayout.INT4.rowBytes(COLUMNS));
                GpuMemory xs = device.allocate(4L * TOKENS);
                GpuMemory y = device.allocate(2L * TOKENS * FEATURES)) {
            stream.copyIn(noise(arena, x.byteSize()), x, 0);
            stream.fill(xs, 0, xs.byteSize(), (byte) 0x3c);
            stream.synchronize();
            double best = Double.POSITIVE_INFINITY;
            for (int round = 0; round <= ROUNDS; round++) {
                device.resetCounters();
                long start = System.nanoTime();
                gemm.multiply(stream, w, x, xs, TOKENS, null, null, y);
                stream.synchronize();
                double seconds = (System.nanoTime() - start) / 1e9;
                best = round == 0 ? best : Math.min(best, seconds); // the first round warms up
            }
            LaunchCounters counters = device.counters().values().iterator().next();
            return new Speed(counters.instructions(), counters.mma(), best);
        }
    }

    private static PackedMatrix weight() {
        byte[] codes = new byte[FEATURES * COLUMNS];
        boolean[] mask = new boolean[codes.length];
        for (int i = 0; i < codes.length; i++) {
            mask[i] = i % 8 < 4;
            codes[i] = (byte) (mask[i] ? i % 15 - 7 : 0);
        }
        float[] scales = new float[FEATURES];
        Arrays.fill(scales, 1 / 64f);
        return Packing.pack(Pattern.PAIRS_4_OF_8, 4, FEATURES, COLUMNS, codes, mask, scales);
    }

    private static MemorySegment noise(Arena arena, long bytes) {
        byte[] noise = new byte[(int) bytes];
        new Random(1).nextBytes(noise);
        return arena.allocate(bytes).copyFrom(MemorySegment.ofArray(noise));
    }
}
