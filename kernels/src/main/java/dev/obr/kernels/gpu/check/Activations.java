package dev.obr.kernels.gpu.check;

import dev.obr.kernels.gpu.linear.NormQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * Random activations with outliers, as a model's.
 *
 * @param values of each
 * @param bytes the same as a device takes them
 */
record Activations(float[] values, MemorySegment bytes) {
    static Activations random(NormQuantizer.Input input, int n, Random random) {
        Activations all = new Activations(new float[n], MemorySegment.ofArray(new byte[n * input.bytes()]));
        for (int i = 0; i < n; i++) {
            all.set(input, i, (float) random.nextGaussian() * (random.nextInt(50) == 0 ? 8 : 1));
        }
        return all;
    }

    /** Sets one, rounded to what the device takes. */
    void set(NormQuantizer.Input input, int i, float value) {
        if (input == NormQuantizer.Input.F16) {
            bytes.setAtIndex(DeviceData.HALF, i, Float.floatToFloat16(value));
            values[i] = Float.float16ToFloat(Float.floatToFloat16(value));
        } else {
            bytes.setAtIndex(DeviceData.FLOAT, i, value);
            values[i] = value;
        }
    }
}
