package dev.obr.models.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.ScalarKernels;
import dev.obr.models.Weight;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files that torch wrote, and what must not be read. */
class TorchFileTest {
    private static final Path FILES = Path.of("src/test/resources/torch");

    /** {"a": tensor of 3 floats in storage 0}, up to the offset in the storage. */
    private static final String TENSOR = "\u0080\u0002}X\1\0\0\0actorch._utils\n_rebuild_tensor_v2\n"
            + "((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + "0X\3\0\0\0cpuK\3tQ";

    private static final String REST = "\u0089}ts.";

    @TempDir
    Path folder;

    @Test
    void stateDict() {
        try (Arena arena = Arena.ofConfined()) {
            TorchFile file = TorchFile.map(FILES.resolve("state_dict.bin"), arena);
            assertThat(file.names())
                    .containsExactlyInAnyOrder(
                            "linear.weight",
                            "linear.bias",
                            "f16",
                            "bf16",
                            "transposed",
                            "view",
                            "alias",
                            "i64",
                            "f64",
                            "flags",
                            "empty");
            float[] eighths = {0.125f, 0.25f, 0.375f, 0.5f, 0.625f, 0.75f};
            check(file.weight("linear.weight"), DType.F32, List.of(2, 3), eighths);
            check(file.weight("linear.bias"), DType.F32, List.of(2), 0.125f, 0.25f);
            check(file.weight("f16"), DType.F16, List.of(2, 3), eighths);
            check(file.weight("bf16"), DType.BF16, List.of(2, 3), eighths);
            check(file.weight("transposed"), DType.F16, List.of(2, 3), 0.125f, 0.375f, 0.625f, 0.25f, 0.5f, 0.75f);
            check(file.weight("view"), DType.F16, List.of(2, 3), 0.5f, 0.625f, 0.75f, 0.875f, 1, 1.125f);
            assertThat(file.weight("alias").memory().address())
                    .isEqualTo(file.weight("view").memory().address());
            assertThat(file.weight("empty").elements()).isZero();
            for (String other : List.of("i64", "f64", "flags")) {
                assertThatThrownBy(() -> file.weight(other))
                        .isInstanceOf(ObrException.class)
                        .hasMessageContaining("tensor " + other + " is of torch.")
                        .hasMessageContaining("convert the model");
            }
            assertThatThrownBy(() -> file.weight("nothing")).hasMessageContaining("has no tensor nothing");
        }
    }

    @Test
    void parametersInAPlainDictionary() {
        try (Arena arena = Arena.ofConfined()) {
            TorchFile file = TorchFile.map(FILES.resolve("parameters.bin"), arena);
            check(file.weight("p"), DType.F16, List.of(2, 2), 0.125f, 0.25f, 0.375f, 0.5f);
            check(file.weight("x"), DType.F32, List.of(3), 0.125f, 0.25f, 0.375f);
        }
    }

    @Test
    void shards() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Path index = FILES.resolve("shards/pytorch_model.bin.index.json");
            var files = TorchShards.map(index, arena);
            check(Objects.requireNonNull(files.get("a")).weight("a"), DType.F16, List.of(2), 0.125f, 0.25f);
            check(Objects.requireNonNull(files.get("b")).weight("b"), DType.BF16, List.of(3), 0.125f, 0.25f, 0.375f);
            Files.copy(
                    FILES.resolve("shards/pytorch_model-00001-of-00002.bin"),
                    folder.resolve("pytorch_model-00001-of-00002.bin"));
            Path wrong = folder.resolve("pytorch_model.bin.index.json");
            Files.writeString(wrong, "{\"weight_map\": {\"b\": \"pytorch_model-00001-of-00002.bin\"}}");
            assertThatThrownBy(() -> TorchShards.map(wrong, arena))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("places tensor b in pytorch_model-00001-of-00002.bin");
        }
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of("legacy.bin", "before version 1.6"),
                Arguments.of("system.bin", "system.bin asks to call posix.system; only tensors are read"),
                Arguments.of("module.bin", "asks to call __main__.Module; only tensors are read"),
                Arguments.of("list.bin", "instruction 0x5d"),
                Arguments.of("number.bin", "holds a number under n"),
                Arguments.of("protocol4.bin", "protocol 4"),
                Arguments.of("PROVENANCE.md", "no whole zip archive"));
    }

    @ParameterizedTest
    @MethodSource
    void refused(String name, String sentence) {
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> TorchFile.map(FILES.resolve(name), arena))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining(sentence);
        }
    }

    static Stream<Arguments> handWritten() {
        return Stream.of(
                Arguments.of("asks to call os.system; only", "\u0080\u0002cos\nsystem\nX\2\0\0\0ls\u0085R."),
                Arguments.of("asks to call builtins.eval; only", "\u0080\u0002}cbuiltins\neval\n."),
                Arguments.of("instruction 0x69", "\u0080\u0002(X\2\0\0\0lsios\nsystem\n."), // INST
                Arguments.of("instruction 0x93", "\u0080\u0002X\2\0\0\0osX\6\0\0\0system\u0093."), // STACK_GLOBAL
                Arguments.of("instruction 0x82", "\u0080\u0002\u0082\1."), // EXT1
                Arguments.of(
                        "builds a tensor of the wrong parts", "\u0080\u0002ccollections\nOrderedDict\nK\1\u0085R."),
                Arguments.of("holds a function", "\u0080\u0002ccollections\nOrderedDict\n."),
                Arguments.of("with a number as a key", "\u0080\u0002}K\1K\2s."),
                Arguments.of("takes a value that is not there", "\u0080\u0002."),
                Arguments.of("takes a value that is not there", "\u0080\u0002}(s."),
                Arguments.of("no mark", "\u0080\u0002}u."),
                Arguments.of("remembers nothing as 7", "\u0080\u0002h\7."),
                Arguments.of("in the middle of an instruction", "\u0080\u0002}X\377\377\377\177"),
                Arguments.of("4294967295 bytes", "\u0080\u0002}X\377\377\377\377"),
                Arguments.of("in the middle of an instruction", "\u0080\u0002}"),
                Arguments.of("a name without end", "\u0080\u0002c" + "a".repeat(2000) + "\n"),
                Arguments.of("does not begin as one", "}."),
                Arguments.of("reaches beyond its storage", TENSOR + "K\1K\3\u0085K\1\u0085" + REST),
                Arguments.of("reaches beyond its storage", TENSOR + "K\0K\2\u0085K\3\u0085" + REST),
                Arguments.of("reaches beyond its storage", TENSOR + "K\0K\4\u0085K\0\u0085" + REST),
                Arguments.of("reaches beyond its storage", TENSOR + "J\377\377\377\377K\1\u0085K\1\u0085" + REST),
                Arguments.of("has the shape [-1]", TENSOR + "K\0J\377\377\377\377\u0085K\1\u0085" + REST),
                Arguments.of("1 dimensions and 0 strides", TENSOR + "K\0K\3\u0085)" + REST),
                Arguments.of(
                        "too large for any file",
                        TENSOR + "K\0" + "\u008a\10\0\0\0\0\0\0\0\100".repeat(2) + "\u0086K\1K\1\u0086" + REST),
                Arguments.of("a tensor's shape is a number", TENSOR + "K\0K\3K\1" + REST),
                Arguments.of("a tensor's shape holds a truth value", TENSOR + "K\0\u0088\u0085K\1\u0085" + REST));
    }

    @ParameterizedTest
    @MethodSource
    void handWritten(String sentence, String pickle) throws IOException {
        byte[] file = archive(pickle.replace("ts.", "tRs."), ZipEntry.STORED, "little", "0", new byte[12]);
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> TorchFile.of(MemorySegment.ofArray(file), "hand.bin", arena))
                    .isInstanceOf(ObrException.class)
                    .hasMessageStartingWith("hand.bin")
                    .hasMessageContaining(sentence);
        }
    }

    @Test
    void handWrittenTensorsAreReadWhereTheyFit() throws IOException {
        String pickle = TENSOR + "K\0K\3\u0085K\1\u0085" + REST.replace("ts.", "tRs.");
        try (Arena arena = Arena.ofConfined()) {
            byte[] file = archive(pickle, ZipEntry.STORED, "little", "0", new byte[12]);
            check(
                    TorchFile.of(MemorySegment.ofArray(file), "hand.bin", arena).weight("a"),
                    DType.F32,
                    List.of(3),
                    0,
                    0,
                    0);
            refuse(archive(pickle, ZipEntry.STORED, "little", "1", new byte[12]), "elements of tensor a are missing");
            refuse(archive(pickle, ZipEntry.STORED, "little", "0", new byte[11]), "its record has 11 bytes");
            refuse(archive(pickle, ZipEntry.STORED, "big", "0", new byte[12]), "little-endian");
            refuse(archive(pickle, ZipEntry.DEFLATED, "little", "0", new byte[12]), "compressed");
            byte[] longer = Arrays.copyOf(file, file.length + 1);
            refuse(longer, "no whole zip archive");
        }
    }

    private static void refuse(byte[] file, String sentence) {
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> TorchFile.of(MemorySegment.ofArray(file), "hand.bin", arena))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining(sentence);
        }
    }

    /** An archive as java.util.zip writes it; the characters of {@code pickle} are its bytes. */
    private static byte[] archive(String pickle, int method, String order, String key, byte[] storage)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            put(zip, method, "m/data.pkl", pickle.getBytes(StandardCharsets.ISO_8859_1));
            put(zip, method, "m/byteorder", order.getBytes(StandardCharsets.ISO_8859_1));
            put(zip, method, "m/data/" + key, storage);
        }
        return bytes.toByteArray();
    }

    private static void put(ZipOutputStream zip, int method, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(method);
        entry.setSize(content.length);
        CRC32 sum = new CRC32();
        sum.update(content);
        entry.setCrc(sum.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    private static void check(Weight weight, DType type, List<Integer> shape, float... values) {
        assertThat(weight.type()).isEqualTo(type);
        assertThat(weight.shape()).isEqualTo(shape);
        float[] read = new float[values.length];
        Weight flat = new Weight(weight.name(), type, List.of(values.length), weight.memory());
        new ScalarKernels().dequantizeRow(flat.vector(), 0, MemorySegment.ofArray(read));
        assertThat(read).containsExactly(values);
    }
}
