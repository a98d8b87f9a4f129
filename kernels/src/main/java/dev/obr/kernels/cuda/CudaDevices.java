package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import java.util.ArrayList;
import java.util.List;

/** The GPUs of this machine. */
public final class CudaDevices {
    /**
     * What was found.
     *
     * @param refusal why there is none, in one sentence; empty where there are some
     */
    public record Probe(List<CudaGpu> gpus, String refusal) {}

    private CudaDevices() {}

    /** Whether this machine has a driver at all: without one nobody expects a GPU. */
    public static boolean driverPresent() {
        return CudaDriver.present();
    }

    /** Looks for GPUs; what stands in their way is an answer, not an error. */
    public static Probe probe() {
        try {
            return new Probe(list(), "");
        } catch (ObrException e) {
            return new Probe(List.of(), String.valueOf(e.getMessage()));
        }
    }

    /**
     * The GPUs, by index.
     *
     * @throws ObrException where there is none to use, saying why
     */
    public static List<CudaGpu> list() {
        CudaDriver driver = CudaDriver.find();
        JcudaNatives.DRIVER.require();
        List<CudaGpu> gpus = new ArrayList<>();
        for (int index = 0; index < driver.devices(); index++) {
            gpus.add(Driver.describe(index, driver.version()));
        }
        return List.copyOf(gpus);
    }
}
