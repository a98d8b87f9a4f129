package dev.obr.cli;

import dev.obr.compressor.obr.CompressedLayer;
import dev.obr.compressor.obr.LayerInput;
import dev.obr.compressor.obr.LayerStatistics;
import dev.obr.compressor.obr.ScalerVariant;
import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.linalg.Matrix;
import dev.obr.kernels.linalg.TiledProducts;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.safetensors.SafetensorsFile;
import dev.obr.models.safetensors.SafetensorsTensor;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The safetensors files of the {@code layer} verb: one linear layer before and after. */
final class LayerFile {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private LayerFile() {}

    /** A layer to compress. */
    record Layer(String name, Matrix weight, LayerInput input) {}

    /**
     * Reads {@code weight} [out, in] and {@code inputs} [samples, tokens, in] (or [tokens, in], one sample), or, where there are no inputs, {@code hessian} [in, in] and {@code scaler_row}
     * [in].
     *
     * @throws ObrException if a tensor is missing, has another shape or holds a value that is not finite
     */
    static Layer read(Path file, ScalerVariant variant, TiledProducts products) {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile tensors = SafetensorsFile.map(file, arena);
            Matrix weight = matrix(required(tensors, "weight"), "[out, in]");
            SafetensorsTensor inputs = tensors.tensors().get("inputs");
            LayerInput input =
                    inputs != null ? gathered(inputs, weight.cols(), variant, products) : given(tensors, weight.cols());
            return new Layer(file + ": tensor weight", weight, input);
        }
    }

    private static LayerInput gathered(
            SafetensorsTensor inputs, int cols, ScalerVariant variant, TiledProducts products) {
        List<Long> shape = inputs.shape();
        if (shape.size() < 2 || shape.size() > 3 || shape.getLast() != cols) {
            throw wrongShape(inputs, "[samples, tokens, " + cols + "], as weight has " + cols + " inputs");
        }
        float[] values = inputs.floats();
        int samples = shape.size() == 3 ? shape.getFirst().intValue() : 1;
        int length = samples == 0 ? 0 : values.length / samples;
        LayerStatistics statistics = new LayerStatistics(inputs.source() + ": tensor " + inputs.name(), cols, products);
        for (int sample = 0; sample < samples; sample++) {
            float[] x = Arrays.copyOfRange(values, sample * length, (sample + 1) * length);
            statistics.add(x, length / cols);
            statistics.endSequence();
        }
        return statistics.toInput(variant);
    }

    private static LayerInput given(SafetensorsFile tensors, int cols) {
        if (!tensors.tensors().containsKey("hessian") && !tensors.tensors().containsKey("scaler_row")) {
            throw new ObrException(tensors.source() + " has no tensor inputs, nor hessian and scaler_row; it has "
                    + names(tensors) + ": add inputs [samples, tokens, " + cols + "]");
        }
        Matrix hessian = matrix(required(tensors, "hessian"), "[" + cols + ", " + cols + "]");
        SafetensorsTensor scaler = required(tensors, "scaler_row");
        if (hessian.rows() != cols || hessian.cols() != cols) {
            throw wrongShape(
                    required(tensors, "hessian"), "[" + cols + ", " + cols + "], as weight has " + cols + " inputs");
        }
        if (!scaler.shape().equals(List.of((long) cols))) {
            throw wrongShape(scaler, "[" + cols + "], as weight has " + cols + " inputs");
        }
        return new LayerInput(tensors.source(), hessian, scaler.floats());
    }

    private static Matrix matrix(SafetensorsTensor tensor, String expected) {
        if (tensor.shape().size() != 2 || tensor.shape().contains(0L)) {
            throw wrongShape(tensor, expected);
        }
        float[] values = tensor.floats();
        return new Matrix(
                tensor.shape().getFirst().intValue(), tensor.shape().getLast().intValue(), values);
    }

    private static SafetensorsTensor required(SafetensorsFile tensors, String name) {
        @Nullable SafetensorsTensor tensor = tensors.tensors().get(name);
        if (tensor == null) {
            throw new ObrException(
                    tensors.source() + " has no tensor " + name + "; it has " + names(tensors) + ": name it so");
        }
        return tensor;
    }

    private static String names(SafetensorsFile tensors) {
        return tensors.tensors().isEmpty()
                ? "none"
                : String.join(", ", tensors.tensors().keySet().stream().limit(8).toList());
    }

    private static ObrException wrongShape(SafetensorsTensor tensor, String expected) {
        return new ObrException(tensor.source() + ": tensor " + tensor.name() + " has shape " + tensor.shape()
                + ", but must be " + expected);
    }

    /**
     * Writes {@code codes} (I8; U8 where an asymmetric grid has 256), {@code scale}, {@code zero}, {@code mask} (U8, 1 = kept) and {@code dequantized}: the last is {@code scale · (codes - zero)}.
     */
    static void write(Path file, CompressedLayer layer, boolean unsigned) {
        int rows = layer.mask().rows();
        List<Integer> shape = List.of(rows, layer.mask().cols());
        byte[] mask = new byte[layer.mask().kept().length];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) (layer.mask().kept()[i] ? 1 : 0);
        }
        SafetensorsWriter writer = new SafetensorsWriter();
        TensorBytes codes = TensorBytes.of(MemorySegment.ofArray(layer.codes()));
        if (unsigned) {
            writer.unsignedBytes("codes", shape, codes);
        } else {
            writer.signedBytes("codes", shape, codes);
        }
        writer.tensor("scale", DType.F32, List.of(rows), floats(layer.scale()))
                .tensor("zero", DType.F32, List.of(rows), floats(layer.zero()))
                .unsignedBytes("mask", shape, TensorBytes.of(MemorySegment.ofArray(mask)))
                .tensor(
                        "dequantized",
                        DType.F32,
                        shape,
                        floats(layer.dequantized().values()))
                .write(file);
    }

    private static TensorBytes floats(float[] values) {
        return out -> {
            byte[] bytes = new byte[Math.multiplyExact(4, values.length)];
            MemorySegment.copy(values, 0, MemorySegment.ofArray(bytes), FLOAT, 0, values.length);
            TensorBytes.of(MemorySegment.ofArray(bytes)).writeTo(out);
        };
    }
}
