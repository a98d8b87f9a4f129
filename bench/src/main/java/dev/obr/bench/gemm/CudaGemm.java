package dev.obr.bench.gemm;

import dev.obr.bench.gpu.ProductBench;
import dev.obr.bench.gpu.Rival;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cuda.CudaDevice;
import dev.obr.kernels.cuda.CudaHalfGemm;
import dev.obr.kernels.cuda.CudaSparseGemm;
import dev.obr.kernels.gpu.GpuStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Products on a GPU, beside those of NVIDIA's libraries where they are there. */
public final class CudaGemm implements GemmProducts.Factory, AutoCloseable {
    private final CudaDevice device;
    private final @Nullable CudaHalfGemm cublas;
    private final @Nullable CudaSparseGemm cusparse;
    private final List<String> notes = new ArrayList<>();

    /** A library that is missing is a note, no error. */
    public CudaGemm(CudaDevice device) {
        this.device = device;
        notes.add(
                "By the GPU's events, one graph a repetition; NVIDIA's libraries are launched call by call, so that with few tokens their times hold the way from Java, too. "
                        + "INT4: activations are coded before the clock starts, in 4 bits (A4) or 8 (A8). "
                        + "Blocks of 32x32 are what cuSPARSE keeps half of beside CSR's half of all entries.");
        this.cublas = present(() -> new CudaHalfGemm(device));
        this.cusparse = present(() -> CudaSparseGemm.on(device));
    }

    private interface Opening<T> {
        T open();
    }

    private <T> @Nullable T present(Opening<T> opening) {
        try {
            return opening.open();
        } catch (ObrException e) {
            notes.add("Not compared with: " + e.getMessage() + ".");
            return null;
        }
    }

    @Override
    public GemmProducts open(GemmShape shape) {
        long needed = ProductBench.weightBytes(device, shape.features(), shape.columns())
                + (cusparse == null ? 0 : 2 * (ProductBench.ROTATED_BYTES + 4L * shape.features() * shape.columns()));
        if (needed > device.freeBytes() * DeviceProducts.USABLE) {
            throw new ObrException(String.format(
                    Locale.ROOT,
                    "copies of the weights take %.1f GB of the GPU's memory, and %.1f GB are free",
                    needed / 1e9,
                    device.freeBytes() / 1e9));
        }
        return new DeviceProducts(
                device,
                cublas == null ? null : cublas::multiply,
                rivals(shape),
                shape,
                ProductBench.ROTATED_BYTES,
                notes::add);
    }

    private List<Rival> rivals(GemmShape shape) {
        if (cusparse == null) {
            return List.of();
        }
        try (GpuStream stream = device.newStream()) {
            SparseRival csr = SparseRival.csr(device, cusparse, stream, shape, ProductBench.ROTATED_BYTES);
            try {
                return List.of(
                        csr, SparseRival.blockedEll(device, cusparse, stream, shape, ProductBench.ROTATED_BYTES));
            } catch (RuntimeException e) {
                csr.close();
                throw e;
            }
        }
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public void close() {
        if (cusparse != null) {
            cusparse.close();
        }
        if (cublas != null) {
            cublas.close();
        }
    }
}
