package dev.obr.kernels.gpu.linear;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.packed.PackedMatrix;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Norm, codes and product in a row, as a layer has them. */
class LinearLayerTest {
    /** One packed model, one result: Ampere multiplies 4-bit integers, Hopper the same ones as bytes. */
    @ParameterizedTest
    @CsvSource({"1", "12", "40"})
    void amperesResultsAreHoppers(int tokens) {
        assertThat(run(ComputeCapability.SM_90, TokenLayout.INT8, 4, tokens))
                .isEqualTo(run(ComputeCapability.SM_86, TokenLayout.INT4, 4, tokens));
    }

    /** 8-bit codes lose so little that the layer is near W . norm(x), in double. */
    @Test
    void aLayerWith8BitCodesIsNearItsTruth() {
        int tokens = 5;
        short[] y = run(ComputeCapability.SM_90, TokenLayout.INT8, 8, tokens);
        PackedMatrix w = LinearLayer.weight();
        short[] x = LinearLayer.activations(tokens);
        byte[] codes = new byte[LinearLayer.COLUMNS];
        double error = 0;
        double squares = 0;
        for (int token = 0; token < tokens; token++) {
            double norm = 0;
            for (int c = 0; c < LinearLayer.COLUMNS; c++) {
                norm += Math.pow(Float.float16ToFloat(x[token * LinearLayer.COLUMNS + c]), 2) / LinearLayer.COLUMNS;
            }
            for (int feature = 0; feature < LinearLayer.FEATURES; feature++) {
                w.unpackRow(feature, codes, 0);
                double truth = 0;
                for (int c = 0; c < LinearLayer.COLUMNS; c++) {
                    truth += codes[c]
                            * Float.float16ToFloat(x[token * LinearLayer.COLUMNS + c])
                            / Math.sqrt(norm)
                            * LinearLayer.factor(c);
                }
                truth *= w.scale(feature);
                error += Math.pow(Float.float16ToFloat(y[token * LinearLayer.FEATURES + feature]) - truth, 2);
                squares += truth * truth;
            }
        }
        assertThat(Math.sqrt(error / squares)).isLessThan(0.01);
    }

    private static short[] run(ComputeCapability capability, TokenLayout layout, int bits, int tokens) {
        try (DeviceRun run = new DeviceRun(capability, Schedule.GREEDY)) {
            return LinearLayer.run(run.device(), layout, bits, tokens);
        }
    }
}
