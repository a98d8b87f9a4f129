package dev.obr.models.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
    @Test
    void slicesTensorsOutOfTheData() {
        SafetensorsFile file = read("""
                {"__metadata__": {"format": "pt"},
                 "b": {"dtype": "F16", "shape": [2, 3], "data_offsets": [4, 16]},
                 "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                 "empty": {"dtype": "BF16", "shape": [0, 7], "data_offsets": [16, 16]}}
                """, 16);
        assertThat(file.tensors().keySet()).containsExactly("a", "b", "empty");
        var b = Objects.requireNonNull(file.tensors().get("b")).weight();
        assertThat(b.type()).isEqualTo(DType.F16);
        assertThat(b.shape()).containsExactly(2, 3);
        assertThat(b.memory().toArray(ValueLayout.JAVA_BYTE)).containsExactly(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    }

    @Test
    void readsEveryKindOfRealNumberAsFloats() {
        byte[] json = """
                {"f16": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
                 "bf16": {"dtype": "BF16", "shape": [2], "data_offsets": [4, 8]},
                 "f32": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]},
                 "f64": {"dtype": "F64", "shape": [1, 1], "data_offsets": [12, 20]},
                 "i8": {"dtype": "I8", "shape": [1], "data_offsets": [20, 21]}}
                """.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + 21).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        bytes.putShort(Float.floatToFloat16(0.5f)).putShort(Float.floatToFloat16(-3));
        bytes.putShort((short) (Float.floatToIntBits(1.5f) >>> 16)).putShort((short) 0xBF80);
        bytes.putFloat(0.1f).putDouble(-0.1).put((byte) 7);
        SafetensorsFile file = SafetensorsFile.of(MemorySegment.ofArray(bytes.array()), "numbers");
        assertThat(floats(file, "f16")).containsExactly(0.5f, -3);
        assertThat(floats(file, "bf16")).containsExactly(1.5f, -1);
        assertThat(floats(file, "f32")).containsExactly(0.1f);
        assertThat(floats(file, "f64")).containsExactly(-0.1f);
        assertThatThrownBy(() -> floats(file, "i8"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("numbers: tensor i8 has dtype I8, which holds no real numbers");
    }

    private static float[] floats(SafetensorsFile file, String name) {
        return Objects.requireNonNull(file.tensors().get(name)).floats();
    }

    /** One entry of the header that is wrong, over 8 bytes of data. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"dtype":"F32","shape":[3],"data_offsets":[0,12]}                     | ends at byte 12 of the data, but the file has only 8; it is truncated
            {"dtype":"F32","shape":[2],"data_offsets":[4,12]}                     | ends at byte 12
            {"dtype":"F32","shape":[1],"data_offsets":[0,4]}                      | 4 bytes at the end belong to no tensor
            {"dtype":"F32","shape":[1],"data_offsets":[4,8]}                      | 4 bytes before tensor x belong to no tensor
            {"dtype":"F32","shape":[2],"data_offsets":[8,0]}                      | not a range
            {"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}                    | not a range
            {"dtype":"F32","shape":[2],"data_offsets":[-8,0]}                     | not whole numbers from 0 upwards
            {"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551624]}   | not whole numbers from 0 upwards
            {"dtype":"F32","shape":[3],"data_offsets":[0,8]}                      | takes 12 bytes, but its data_offsets [0, 8] hold 8
            {"dtype":"F32","shape":[-2],"data_offsets":[0,8]}                     | shape [-2], not whole numbers
            {"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}                    | not whole numbers
            {"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}  | too large for any file
            {"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}    | too large for any file
            {"dtype":"Q77","shape":[8],"data_offsets":[0,8]}                      | has the unknown dtype "Q77"; convert the model to F32, F16 or BF16
            {"shape":[2],"data_offsets":[0,8]}                                    | has no dtype
            {"dtype":"F32","data_offsets":[0,8]}                                  | has no shape
            {"dtype":"F32","shape":[2]}                                           | has no data_offsets
            7                                                                     | has no dtype
            """)
    void namesWhatIsWrongWithATensor(String entry, String fault) {
        assertThatThrownBy(() -> read("{\"x\": " + entry + "}", 8))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("test.safetensors: ")
                .hasMessageContaining(fault);
    }

    @Test
    void refusesOverlappingTensors() {
        String header = """
                {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                 "y": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}
                """;
        assertThatThrownBy(() -> read(header, 8))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("tensor y starts at byte 4 of the data and overlaps x, which ends at 8");
    }

    @Test
    void refusesTheSameNameTwice() {
        String x = "\"x\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}";
        assertThatThrownBy(() -> read("{" + x + "," + x + "}", 4))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("is not valid JSON (Duplicate");
    }

    @Test
    void refusesWhatIsNoHeader() {
        assertThatThrownBy(() -> read("[1, 2]", 0)).hasMessageContaining("is not a JSON object");
        assertThatThrownBy(() -> read("{\"x\": ", 0))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("is not valid JSON");
        assertThatThrownBy(() -> SafetensorsFile.of(MemorySegment.ofArray(new byte[7]), "short.safetensors"))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("has only 7 bytes");
        for (long announced : new long[] {100, Long.MAX_VALUE, -1, Long.MIN_VALUE}) {
            ByteBuffer file =
                    ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN).putLong(0, announced);
            assertThatThrownBy(() -> SafetensorsFile.of(MemorySegment.ofArray(file.array()), "cut.safetensors"))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining("announces a header of " + Long.toUnsignedString(announced)
                            + " bytes, but the file has 12");
        }
    }

    @Test
    void otherTypesAreRefusedOnlyWhenUsed() {
        SafetensorsFile file = read("{\"ids\": {\"dtype\": \"I64\", \"shape\": [1], \"data_offsets\": [0, 8]}}", 8);
        assertThatThrownBy(
                        () -> Objects.requireNonNull(file.tensors().get("ids")).weight())
                .isInstanceOf(ObrException.class)
                .hasMessage("test.safetensors: tensor ids has dtype I64, which is not supported for weights; "
                        + "convert the model to F32, F16 or BF16");
    }

    @Test
    void readsWhatTheWriterWrites(@TempDir Path folder) {
        byte[] bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        Path path = folder.resolve("model.safetensors");
        new SafetensorsWriter()
                .metadata("format", "pt")
                .tensor("first", DType.F16, List.of(3), out -> out.write(ByteBuffer.wrap(bytes, 0, 6)))
                .tensor("second", DType.BF16, List.of(1, 3), out -> out.write(ByteBuffer.wrap(bytes, 6, 6)))
                .write(path);
        try (var arena = Arena.ofConfined()) {
            SafetensorsFile file = SafetensorsFile.map(path, arena);
            assertThat(file.tensors().keySet()).containsExactly("first", "second");
            SafetensorsTensor second = Objects.requireNonNull(file.tensors().get("second"));
            assertThat(second.type()).isEqualTo("BF16");
            assertThat(second.shape()).containsExactly(1L, 3L);
            assertThat(second.memory().toArray(ValueLayout.JAVA_BYTE)).containsExactly(7, 8, 9, 10, 11, 12);
        }
    }

    @Test
    void aWriterThatFailsLeavesNothing(@TempDir Path folder) throws IOException {
        SafetensorsWriter full = new SafetensorsWriter().tensor("x", DType.F32, List.of(1), out -> {
            throw new IOException("No space left on device");
        });
        Path path = folder.resolve("model.safetensors");
        assertThatThrownBy(() -> full.write(path))
                .isInstanceOf(ObrException.class)
                .hasMessage(
                        "cannot write " + path + ": No space left on device; free some space or choose another folder");
        SafetensorsWriter tooShort =
                new SafetensorsWriter().tensor("x", DType.F32, List.of(2), out -> out.write(ByteBuffer.allocate(4)));
        assertThatThrownBy(() -> tooShort.write(path))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("tensor x takes 8 bytes, but 4 were written");
        try (var left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
        assertThatThrownBy(() -> full.write(folder.resolve("absent/model.safetensors")))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("there is no folder");
    }

    /** A file with this header and {@code dataBytes} bytes 0, 1, 2, .. */
    private static SafetensorsFile read(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json);
        for (int i = 0; i < dataBytes; i++) {
            file.put((byte) i);
        }
        return SafetensorsFile.of(MemorySegment.ofArray(file.array()), "test.safetensors");
    }
}
