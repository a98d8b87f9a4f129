package dev.obr.kernels.gpu;

/** PTX that a device has assembled. */
public interface GpuModule extends AutoCloseable {
    /**
     * @param name of an {@code .entry}
     * @throws dev.obr.kernels.ObrException where the module has none of that name, naming those that it has
     */
    GpuKernel kernel(String name);

    @Override
    void close();
}
