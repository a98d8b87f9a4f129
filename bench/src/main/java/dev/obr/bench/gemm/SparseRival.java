package dev.obr.bench.gemm;

import dev.obr.bench.RandomMatrix;
import dev.obr.bench.gpu.Rival;
import dev.obr.kernels.cuda.CudaDevice;
import dev.obr.kernels.cuda.CudaSparseGemm;
import dev.obr.kernels.cuda.SparseHalves;
import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.GpuStream;
import dev.obr.kernels.packed.Pattern;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** cuSPARSE's products with weights of which half are kept. */
final class SparseRival implements Rival {
    /** Rows and columns of a block: one that cuSPARSE multiplies by tensor cores. */
    private static final int BLOCK = 32;

    private static final float STEP = 0.006f;
    private static final long SEED = 1;

    private final CudaSparseGemm gemm;
    private final String name;
    private final List<GpuMemory> memories = new ArrayList<>();
    private final List<SparseHalves> copies = new ArrayList<>();
    private long weightBytes;

    private SparseRival(CudaSparseGemm gemm, String name) {
        this.gemm = gemm;
        this.name = name;
    }

    /** Kept anywhere. */
    static SparseRival csr(
            CudaDevice device, CudaSparseGemm gemm, GpuStream stream, GemmShape shape, long rotatedBytes) {
        CsrHalves w = CsrHalves.of(
                RandomMatrix.packed(Pattern.UNSTRUCTURED, 4, shape.features(), shape.columns(), STEP, SEED));
        SparseRival rival = new SparseRival(gemm, "FP16 CSR, cuSPARSE");
        rival.load(
                device,
                stream,
                rotatedBytes,
                List.of(
                        MemorySegment.ofArray(w.starts()),
                        MemorySegment.ofArray(w.indices()),
                        MemorySegment.ofArray(w.values())),
                m -> gemm.csr(shape.features(), shape.columns(), m.get(0), m.get(1), m.get(2)));
        return rival;
    }

    /** Kept in blocks. */
    static SparseRival blockedEll(
            CudaDevice device, CudaSparseGemm gemm, GpuStream stream, GemmShape shape, long rotatedBytes) {
        BlockedEllHalves w = BlockedEllHalves.random(shape, BLOCK, SEED);
        SparseRival rival = new SparseRival(gemm, "FP16 blocks, cuSPARSE");
        rival.load(
                device,
                stream,
                rotatedBytes,
                List.of(MemorySegment.ofArray(w.blocks()), MemorySegment.ofArray(w.values())),
                m -> gemm.blockedEll(
                        shape.features(), shape.columns(), w.block(), w.keptColumns(), m.get(0), m.get(1)));
        return rival;
    }

    private interface Descriptor {
        SparseHalves of(List<GpuMemory> memories);
    }

    private void load(
            CudaDevice device, GpuStream stream, long rotatedBytes, List<MemorySegment> parts, Descriptor descriptor) {
        weightBytes = parts.stream().mapToLong(MemorySegment::byteSize).sum();
        try {
            while (copies.size() < CpuProduct.copies(weightBytes, rotatedBytes)) {
                List<GpuMemory> copy = new ArrayList<>();
                for (MemorySegment part : parts) {
                    GpuMemory memory = device.allocate(part.byteSize());
                    memories.add(memory);
                    copy.add(memory);
                    stream.copyIn(part, memory, 0);
                }
                copies.add(descriptor.of(copy));
            }
            stream.synchronize();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long weightBytes() {
        return weightBytes;
    }

    @Override
    public Ready with(GpuStream stream, GpuMemory x, int tokens, GpuMemory y) {
        List<CudaSparseGemm.Product> products = new ArrayList<>();
        Ready ready = new Ready() {
            @Override
            public void queue(GpuStream queue, int turn) {
                products.get(turn % products.size()).multiply(queue);
            }

            @Override
            public void close() {
                products.forEach(CudaSparseGemm.Product::close);
            }
        };
        try {
            for (SparseHalves copy : copies) {
                products.add(gemm.product(stream, copy, x, tokens, y));
            }
            return ready;
        } catch (RuntimeException e) {
            ready.close();
            throw e;
        }
    }

    @Override
    public void close() {
        copies.forEach(SparseHalves::close);
        memories.forEach(GpuMemory::close);
    }
}
