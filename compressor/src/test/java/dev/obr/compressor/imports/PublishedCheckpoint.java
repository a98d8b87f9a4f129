package dev.obr.compressor.imports;

import dev.obr.kernels.DType;
import dev.obr.kernels.WeightMatrix;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.kernels.hadamard.HadamardMatrix;
import dev.obr.kernels.hadamard.HadamardTransform;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.Model;
import dev.obr.models.Weight;
import dev.obr.models.file.TensorBytes;
import dev.obr.models.loader.ModelLoader;
import dev.obr.models.safetensors.SafetensorsWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A packed model written the way the published code saves its models: dequantised halves, each weight twice, placeholders of quantizers, dummies of norms.
 *
 * @param tensors by key, to be changed by tests
 */
record PublishedCheckpoint(Map<String, Stored> tensors) {
    /** A tensor's values, rounded to {@code type} when they are written. */
    record Stored(DType type, List<Integer> shape, float[] values) {
        byte[] bytes() {
            int size = type == DType.F32 ? 4 : 2;
            MemorySegment memory = MemorySegment.ofArray(new byte[size * values.length]);
            for (int i = 0; i < values.length; i++) {
                int bits = Float.floatToRawIntBits(values[i]);
                switch (type) {
                    case F32 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * i, bits);
                    case F16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, Float.floatToFloat16(values[i]));
                    default ->
                        memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, (short)
                                (bits + 0x7fff + (bits >>> 16 & 1) >>> 16));
                }
            }
            return memory.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /**
     * The checkpoint of a packed model.
     *
     * @param style QUAROT, or SPINQUANT for norms of ones
     */
    static PublishedCheckpoint of(Path packed, DType type, RotationStyle style) {
        Map<String, Stored> tensors = new LinkedHashMap<>();
        try (Model model = ModelLoader.open(packed)) {
            model.weights().forEach((name, weight) -> {
                boolean norm = RotationStyle.isFusedNorm(name);
                if (norm && style == RotationStyle.QUAROT) {
                    tensors.put(name, new Stored(type, List.of(1), new float[1]));
                } else if (name.equals("lm_head.weight") || name.endsWith("_proj.bias")) {
                    tensors.put(
                            name.replaceFirst("\\.(weight|bias)$", ".module.$1"),
                            new Stored(type, weight.shape(), floats(weight)));
                } else {
                    tensors.put(name, new Stored(type, weight.shape(), floats(weight)));
                }
            });
            model.packed().forEach((name, matrix) -> {
                String linear = name.substring(0, name.length() - ".weight".length());
                Stored stored = new Stored(type, List.of(matrix.rows(), matrix.cols()), floats(matrix));
                tensors.put(linear + ".weight", stored);
                tensors.put(linear + ".module.weight", stored);
                for (String quantizer : List.of("quantizer", "out_quantizer")) {
                    for (String placeholder : List.of("maxq", "scale", "zero")) {
                        tensors.put(
                                linear + "." + quantizer + "." + placeholder,
                                new Stored(DType.F32, List.of(1), new float[1]));
                    }
                }
                if (linear.endsWith("down_proj")) {
                    HadamardMatrix factor =
                            HadamardTransform.of(matrix.cols()).orElseThrow().factor();
                    if (factor.order() > 1) {
                        tensors.put(linear + ".had_K", entries(factor));
                    }
                }
            });
        }
        tensors.put(
                "model.layers.0.self_attn.apply_rotary_pos_emb_qk_rotation_wrapper.k_quantizer.scale",
                new Stored(DType.F32, List.of(1), new float[1]));
        tensors.put("model.layers.0.self_attn.rotary_emb.inv_freq", new Stored(DType.F32, List.of(1), new float[1]));
        return new PublishedCheckpoint(tensors);
    }

    private static Stored entries(HadamardMatrix matrix) {
        float[] values = new float[matrix.order() * matrix.order()];
        for (int i = 0; i < values.length; i++) {
            values[i] = matrix.at(i / matrix.order(), i % matrix.order());
        }
        return new Stored(DType.F32, List.of(matrix.order(), matrix.order()), values);
    }

    private static float[] floats(PackedMatrix matrix) {
        float[] values = new float[matrix.rows() * matrix.cols()];
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.dequantizeRow(r, values, r * matrix.cols());
        }
        return values;
    }

    private static float[] floats(Weight weight) {
        float[] values = new float[(int) weight.elements()];
        WeightMatrix row = new WeightMatrix(weight.type(), 1, values.length, weight.memory());
        new ScalarKernels().dequantizeRow(row, 0, MemorySegment.ofArray(values));
        return values;
    }

    /** Replaces one value of a tensor. */
    void alter(String key, int index, float value) {
        tensors.computeIfPresent(key, (k, stored) -> {
            float[] values = stored.values().clone();
            values[index] = value;
            return new Stored(stored.type(), stored.shape(), values);
        });
    }

    /** Writes {@code model.safetensors}. */
    Path writeSafetensors(Path folder) {
        SafetensorsWriter writer = new SafetensorsWriter();
        tensors.forEach((name, stored) -> writer.tensor(
                name, stored.type(), stored.shape(), TensorBytes.of(MemorySegment.ofArray(stored.bytes()))));
        writer.write(folder.resolve("model.safetensors"));
        return folder;
    }

    /** Writes {@code pytorch_model.bin} as torch.save would, with one storage for each pair of equal tensors. */
    Path writeTorch(Path folder) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        text(pickle, "\u0080\u0002}(");
        Map<Stored, Integer> keys = new LinkedHashMap<>();
        tensors.forEach((name, stored) -> {
            int key = keys.computeIfAbsent(stored, s -> keys.size());
            unicode(pickle, name);
            text(pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
            unicode(pickle, "storage");
            String type = stored.type() == DType.F32 ? "Float" : stored.type() == DType.F16 ? "Half" : "BFloat16";
            text(pickle, "ctorch\n" + type + "Storage\n");
            unicode(pickle, Integer.toString(key));
            unicode(pickle, "cpu");
            number(pickle, stored.values().length);
            text(pickle, "tQK\0(");
            stored.shape().forEach(size -> number(pickle, size));
            text(pickle, "t(");
            for (int d = 0; d < stored.shape().size(); d++) {
                number(
                        pickle,
                        d == stored.shape().size() - 1 ? 1 : stored.shape().get(1));
            }
            text(pickle, "t\u0089ccollections\nOrderedDict\n)RtR");
        });
        text(pickle, "u.");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(folder.resolve("pytorch_model.bin")))) {
            put(zip, "model/data.pkl", pickle.toByteArray());
            for (Map.Entry<Stored, Integer> storage : keys.entrySet()) {
                put(zip, "model/data/" + storage.getValue(), storage.getKey().bytes());
            }
        }
        return folder;
    }

    private static void text(ByteArrayOutputStream to, String text) {
        to.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void unicode(ByteArrayOutputStream to, String text) {
        to.write('X');
        integer(to, text.length());
        text(to, text);
    }

    private static void number(ByteArrayOutputStream to, int number) {
        to.write('J');
        integer(to, number);
    }

    private static void integer(ByteArrayOutputStream to, int number) {
        for (int shift = 0; shift < 32; shift += 8) {
            to.write(number >>> shift);
        }
    }

    private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        CRC32 sum = new CRC32();
        sum.update(content);
        entry.setCrc(sum.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
