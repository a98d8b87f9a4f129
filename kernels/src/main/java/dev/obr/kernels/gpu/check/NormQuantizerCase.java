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
import dev.obr.kernels.gpu.linear.InputOrder;
import dev.obr.kernels.gpu.linear.NormQuantizer;
import dev.obr.kernels.gpu.linear.ScalarNormQuantizer;
import dev.obr.kernels.gpu.linear.TokenLayout;
import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.quantize.ActivationQuantizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Codes of some tokens, with a norm before them or without.
 *
 * @param ordered whether the codes stand in another order than the columns
 */
record NormQuantizerCase(
        NormQuantizer.Input input,
        TokenLayout layout,
        int bits,
        float clip,
        int columns,
        int tokens,
        boolean norm,
        boolean ordered,
        Extent extent)
        implements KernelCase {
    private static final float EPS = 1e-5f;

    static KernelCheck check() {
        return new KernelCheck(
                KernelModule.RMSNORM_QUANT,
                List.of(
                        new NormQuantizerCase(F16, INT4, 4, 0, 8, 1, true, true, QUICK),
                        new NormQuantizerCase(F32, INT4, 4, 0, 136, 3, true, true, QUICK),
                        new NormQuantizerCase(F16, INT8, 8, 1, 576, 2, true, false, QUICK),
                        new NormQuantizerCase(F32, INT8, 8, 0, 200, 3, false, true, QUICK),
                        new NormQuantizerCase(F16, INT4, 4, 0, 4096, 2, true, true, USUAL),
                        new NormQuantizerCase(F32, INT4, 4, 0.8f, 576, 3, false, false, USUAL),
                        new NormQuantizerCase(F16, INT8, 4, 0, 576, 3, true, true, USUAL),
                        new NormQuantizerCase(F32, INT8, 8, 1, 11008, 1, false, true, USUAL),
                        new NormQuantizerCase(F16, INT4, 4, 0, 8200, 1, true, false, USUAL),
                        new NormQuantizerCase(F16, INT8, 4, 0.5f, 32768, 1, true, true, USUAL),
                        new NormQuantizerCase(F16, INT4, 4, 0, 4096, 300, true, true, DEVICE),
                        new NormQuantizerCase(F32, INT8, 8, 1, 11008, 257, true, false, DEVICE)));
    }

    @Override
    public Comparison run(DeviceData data) {
        ActivationQuantizer quantizer = new ActivationQuantizer(bits, clip);
        Random random = new Random(columns);
        float[] weight = new float[columns];
        for (int c = 0; c < columns; c++) {
            weight[c] = random.nextFloat() + 0.5f;
        }
        Activations x = Activations.random(input, tokens * columns, random);
        ColumnOrder order = ordered ? ColumnOrder.of(SparseOperands.shuffled(columns, random)) : null;
        Codes expected = Codes.of(layout, tokens, columns);
        ScalarNormQuantizer twin = new ScalarNormQuantizer(quantizer, layout);
        for (int token = 0; token < tokens; token++) {
            float[] row = Arrays.copyOfRange(x.values(), token * columns, (token + 1) * columns);
            float scale = twin.quantize(row, norm ? weight : null, EPS, order, expected.rows(), expected.row(token));
            expected.scales().setAtIndex(DeviceData.FLOAT, token, scale);
        }
        try (NormQuantizer kernel = new NormQuantizer(data.device(), input, layout);
                InputOrder loaded = order == null ? null : InputOrder.upload(order, data.device(), data.stream())) {
            GpuMemory codes = data.results(expected.rows().byteSize());
            GpuMemory scales = data.results(expected.scales().byteSize());
            GpuMemory factors = data.upload(MemorySegment.ofArray(weight));
            kernel.quantize(
                    data.stream(),
                    quantizer,
                    data.upload(x.bytes()),
                    norm ? factors : null,
                    EPS,
                    tokens,
                    columns,
                    loaded,
                    codes,
                    scales);
            return expected.compare(data.download(codes), data.download(scales));
        }
    }

    @Override
    public String toString() {
        return tokens + " tokens of " + columns + " columns, " + input + " to codes of " + bits + " bits in " + layout
                + ", clip " + clip + (norm ? ", with norm" : "") + (ordered ? ", in another order" : "");
    }
}
