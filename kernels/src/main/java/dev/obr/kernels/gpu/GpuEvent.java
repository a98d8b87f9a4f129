package dev.obr.kernels.gpu;

/** A point in a stream's work. */
public interface GpuEvent extends AutoCloseable {
    /** Waits until the point has been passed. */
    void synchronize();

    /** Milliseconds of the device between two points that have been passed; an emulator's own time means nothing for a GPU's. */
    float millisSince(GpuEvent start);

    @Override
    void close();
}
