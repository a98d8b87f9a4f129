package dev.obr.compressor.pipeline;

import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.linalg.HeldLinear;
import dev.obr.runtime.transformer.DeviceWeight;

/** The weight of a linear layer that calibration runs through, on the host and in a device's memory. */
final class CalibrationWeight implements DeviceWeight, AutoCloseable {
    private final WeightMatrix matrix; // f32
    private final DeviceWeight host;
    private final HeldLinear held;
    private boolean current;

    CalibrationWeight(WeightMatrix matrix, DeviceWeight host, HeldLinear held) {
        this.matrix = matrix;
        this.host = host;
        this.held = held;
    }

    /** The same for the host's backend. */
    DeviceWeight host() {
        return host;
    }

    /** In the device's memory, with the values of now. */
    HeldLinear held() {
        if (!current) {
            held.set(matrix.memory());
            current = true;
        }
        return held;
    }

    boolean pays(int tokens) {
        return held.pays(tokens);
    }

    /** Its values were replaced. */
    void changed() {
        current = false;
    }

    @Override
    public int rows() {
        return matrix.rows();
    }

    @Override
    public int cols() {
        return matrix.cols();
    }

    @Override
    public void close() {
        held.close();
    }
}
