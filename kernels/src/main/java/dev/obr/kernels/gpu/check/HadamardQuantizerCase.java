package dev.obr.kernels.gpu.check;

import static dev.obr.kernels.gpu.check.Extent.DEVICE;
import static dev.obr.kernels.gpu.check.Extent.QUICK;
import static dev.obr.kernels.gpu.check.Extent.USUAL;
import static dev.obr.kernels.gpu.linear.NormQuantizer.Input.F16;
import static dev.obr.kernels.gpu.linear.NormQuantizer.Input.F32;
import static dev.obr.kernels.gpu.linear.TokenLayout.INT4;
import static dev.obr.kernels.gpu.linear.TokenLayout.INT8;

import dev.obr.kernels.gpu.GpuMemory;
import dev.obr.kernels.gpu.KernelModule;
import dev.obr.kernels.gpu.Rows;
import dev.obr.kernels.gpu.hadamard.HadamardQuantizer;
import dev.obr.kernels.gpu.hadamard.ScalarHadamardQuantizer;
import dev.obr.kernels.gpu.linear.InputOrder;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.linear.ScalarNormQuantizer;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Codes of some tokens behind a Hadamard transform.
 *
 * @param n components of the transform, each of {@code width} columns
 * @param gate whether rows are [gate | up]
 * @param ordered whether the codes stand in another order than the columns
 */
record HadamardQuantizerCase(
        NormQuantizer.Input input,
        TokenLayout layout,
        int bits,
        float clip,
        int n,
        int width,
        int tokens,
        boolean gate,
        boolean ordered,
        Extent extent)
        implements KernelCase {
    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.HADAMARD_QUANT,
                List.of(
                        new HadamardQuantizerCase(F16, INT4, 4, 0, 8, 1, 2, false, true, QUICK),
                        new HadamardQuantizerCase(F32, INT4, 4, 0, 172, 1, 3, true, true, QUICK),
                        new HadamardQuantizerCase(F16, INT4, 4, 0, 576, 1, 2, true, false, QUICK),
                        new HadamardQuantizerCase(F32, INT8, 8, 1, 4, 8, 2, false, true, QUICK),
                        new HadamardQuantizerCase(F16, INT8, 8, 1, 1024, 1, 2, false, true, USUAL),
                        new HadamardQuantizerCase(F32, INT8, 4, 0.8f, 256, 1, 2, true, false, USUAL),
                        new HadamardQuantizerCase(F16, INT4, 4, 0, 12, 64, 2, false, true, USUAL),
                        new HadamardQuantizerCase(F16, INT8, 8, 1, 1, 3072, 1, true, true, USUAL),
                        new HadamardQuantizerCase(F16, INT4, 4, 0, 4096, 1, 1, true, false, USUAL),
                        new HadamardQuantizerCase(F16, INT4, 4, 0, 11008, 1, 1, true, true, USUAL),
                        new HadamardQuantizerCase(F16, INT8, 4, 0.5f, 14336, 1, 1, true, true, USUAL),
                        new HadamardQuantizerCase(F16, INT4, 4, 0, 11008, 1, 130, true, false, DEVICE),
                        new HadamardQuantizerCase(F16, INT8, 8, 1, 32, 128, 257, false, true, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        ActivationQuantizer quantizer = new ActivationQuantizer(bits, clip);
        HadamardTransform transform = HadamardTransform.of(n).orElseThrow();
        int columns = n * width;
        int stride = gate ? 2 * columns : columns;
        Random random = new Random(columns);
        Activations x = Activations.random(input, tokens * stride, random);
        ColumnOrder order = ordered ? ColumnOrder.of(SparseOperands.shuffled(columns, random)) : null;
        Codes expected = Codes.of(layout, tokens, columns);
        ScalarHadamardQuantizer twin =
                new ScalarHadamardQuantizer(transform, width, new ScalarNormQuantizer(quantizer, layout));
        for (int token = 0; token < tokens; token++) {
            int first = token * stride;
            float scale = twin.quantize(
                    gate ? Arrays.copyOfRange(x.values(), first, first + columns) : null,
                    Arrays.copyOfRange(x.values(), first + stride - columns, first + stride),
                    order,
                    expected.rows(),
                    expected.row(token));
            expected.scales().setAtIndex(DeviceData.FLOAT, token, scale);
        }
        try (HadamardQuantizer kernel =
                        new HadamardQuantizer(data.device(), data.stream(), input, layout, transform, width);
                InputOrder loaded = order == null ? null : InputOrder.upload(order, data.device(), data.stream())) {
            GpuMemory from = data.upload(x.bytes());
            GpuMemory codes = data.results(expected.rows().byteSize());
            GpuMemory scales = data.results(expected.scales().byteSize());
            kernel.quantize(
                    data.stream(),
                    quantizer,
                    gate ? new Rows(from, 0, stride) : null,
                    new Rows(from, stride - columns, stride),
                    tokens,
                    loaded,
                    codes,
                    scales);
            return expected.compare(data.download(codes), data.download(scales));
        }
    }

    @Override
    public String toString() {
        return tokens + " tokens, a transform of " + n + " times " + width + " columns, " + input + " to codes of "
                + bits + " bits in " + layout + ", clip " + clip + (gate ? ", with gate" : "")
                + (ordered ? ", in another order" : "");
    }
}
