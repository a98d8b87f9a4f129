package dev.obr.kernels.gpu;

/** Recorded work that is launched at once, as often as one likes; addresses and arguments are those of the recording. */
public interface GpuGraph extends AutoCloseable {
    @Override
    void close();
}
