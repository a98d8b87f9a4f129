package dev.obr.models.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.DType;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
    @Test
    void readsMetadataAndTensorsOfTheWriter(@TempDir Path folder) throws IOException {
        Path path = folder.resolve("model.gguf");
        new GgufWriter()
                .string("general.architecture", "llama")
                .uint32("llama.block_count", 4_000_000_000L)
                .float32("eps", 1e-5f)
                .bool("flag", true)
                .strings("tokens", List.of("a", "\u00e9", ""))
                .int32s("types", new int[] {1, -2})
                .float32s("scores", new float[] {0.5f})
                .tensor("small", DType.F32, List.of(3), out -> out.write(ByteBuffer.allocate(12)))
                .tensor("blocks", DType.Q8_0, List.of(2, 64), out -> out.write(counting(2 * 2 * 34)))
                .write(path);
        GgufFile file = GgufFile.of(MemorySegment.ofArray(Files.readAllBytes(path)), "model.gguf");

        assertThat(file.metadata())
                .containsEntry("general.architecture", "llama")
                .containsEntry("llama.block_count", 4_000_000_000L)
                .containsEntry("eps", 1e-5f)
                .containsEntry("flag", true);
        assertThat((String[]) file.metadata().get("tokens")).containsExactly("a", "\u00e9", "");
        assertThat((int[]) file.metadata().get("types")).containsExactly(1, -2);
        assertThat((float[]) file.metadata().get("scores")).containsExactly(0.5f);
        assertThat(file.tensors().keySet()).containsExactly("small", "blocks");
        GgufTensor blocks = Objects.requireNonNull(file.tensors().get("blocks"));
        assertThat(blocks.shape()).containsExactly(2, 64);
        assertThat(blocks.memory().toArray(ValueLayout.JAVA_BYTE))
                .isEqualTo(counting(2 * 2 * 34).array());
        assertThat(blocks.weight("w").matrix().type()).isEqualTo(DType.Q8_0);
    }

    @Test
    void readsEveryKindOfValue() {
        GgufFile file = read(0, 12, b -> {
            entry(b, "u8", 0).put((byte) 200);
            entry(b, "i8", 1).put((byte) -3);
            entry(b, "u16", 2).putShort((short) 60000);
            entry(b, "i16", 3).putShort((short) -300);
            entry(b, "u32", 4).putInt(-1);
            entry(b, "i32", 5).putInt(-70000);
            entry(b, "u64", 10).putLong(1L << 40);
            entry(b, "i64", 11).putLong(-5);
            entry(b, "f64", 12).putDouble(0.25);
            entry(b, "bools", 9).putInt(7).putLong(2).put((byte) 1).put((byte) 0);
            entry(b, "longs", 9).putInt(4).putLong(1).putInt(-1);
            entry(b, "doubles", 9).putInt(12).putLong(1).putDouble(2);
        });
        assertThat(file.metadata())
                .containsEntry("u8", 200)
                .containsEntry("i8", -3)
                .containsEntry("u16", 60000)
                .containsEntry("i16", -300)
                .containsEntry("u32", 4294967295L)
                .containsEntry("i32", -70000)
                .containsEntry("u64", 1L << 40)
                .containsEntry("i64", -5L)
                .containsEntry("f64", 0.25)
                .containsEntry("bools", new boolean[] {true, false})
                .containsEntry("longs", new long[] {4294967295L})
                .containsEntry("doubles", new double[] {2});
    }

    @Test
    void refusesWhatIsNoGguf() {
        fails("GGML5678901234567890123456".getBytes(StandardCharsets.US_ASCII), "starts with 0x47474d4c");
        fails(new byte[3], "ends at byte 3 in the middle of the magic number; it is truncated");
        fails(head(1, 0, 0).array(), "has GGUF version 1, but versions 2 and 3 are supported");
        fails(head(Integer.reverseBytes(3), 0, 0).array(), "is a big-endian GGUF file");
        fails(head(77, 0, 0).array(), "has GGUF version 77");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 1L << 31, 1L << 62, -1, Long.MIN_VALUE})
    void comparesCountsWithTheFileBeforeItAllocates(long count) {
        fails(
                head(3, count, 0).array(),
                "announces " + Long.toUnsignedString(count) + " as the size of the list of tensors");
        fails(head(3, 0, count).array(), "announces " + Long.toUnsignedString(count) + " as the size of the metadata");
        failsWith(
                0, 1, b -> entry(b, "s", 8).putLong(count + 2000), "announces " + Long.toUnsignedString(count + 2000));
        failsWith(0, 1, b -> entry(b, "a", 9).putInt(8).putLong(count + 2000), "as the size of the array a");
    }

    @Test
    void refusesMetadataThatCannotBe() {
        failsWith(0, 1, b -> entry(b, "k", 13).putLong(0), "k has the unknown value type 13");
        failsWith(0, 1, b -> entry(b, "k", 9).putInt(9).putLong(0), "the array k has the unknown value type 9");
        failsWith(0, 2, b -> entry(entry(b, "k", 4).putInt(1), "k", 4).putInt(1), "has the metadata key k twice");
        failsWith(
                0, 1, b -> entry(b, "general.alignment", 4).putInt(24), "general.alignment is 24, but a power of two");
        failsWith(0, 1, b -> entry(b, "general.alignment", 4).putInt(0), "general.alignment is 0");
        failsWith(0, 1, b -> string(entry(b, "general.alignment", 8), "x"), "general.alignment is x");
    }

    @Test
    void refusesTensorsThatCannotBe() {
        failsWith(
                1,
                0,
                b -> tensor(b, "t", 0, 4, 4),
                "tensor t starts at offset 4, which is no multiple of the alignment");
        failsWith(1, 0, b -> tensor(b, "t", 0, 1 << 20, 1 << 20), "the file has only");
        failsWith(1, 0, b -> tensor(b, "t", 0, -32, 4), "from offset 18446744073709551584");
        failsWith(1, 0, b -> tensor(b, "t", 5, 0, 4), "tensor t has the unknown type number 5");
        failsWith(1, 0, b -> tensor(b, "t", 2, 0, 33), "tensor t of type Q4_0 has rows of 33 elements");
        failsWith(1, 0, b -> tensor(b, "t", 0, 0, 0), "tensor t has a dimension of 0");
        failsWith(1, 0, b -> tensor(b, "t", 0, 0, 1L << 31), "has a dimension of 2147483648");
        failsWith(1, 0, b -> tensor(b, "t", 0, 0, 1 << 30, 1 << 30), "has a dimension of 1073741824");
        failsWith(1, 0, b -> tensor(b, "t", 0, 0), "tensor t has 0 dimensions");
        failsWith(1, 0, b -> tensor(b, "t", 0, 0, 1, 1, 1, 1, 1), "tensor t has 5 dimensions");
        failsWith(2, 0, b -> tensor(tensor(b, "t", 0, 0, 4), "t", 0, 32, 4), "has the tensor t twice");
        failsWith(2, 0, b -> tensor(tensor(b, "t", 0, 0, 16), "u", 0, 32, 4), "starts at offset 32 and overlaps t");
    }

    @Test
    void unsupportedTypesAreRefusedWhenUsed() {
        GgufFile file = read(1, 0, b -> tensor(b, "t", 13, 0, 256));
        assertThatThrownBy(() -> Objects.requireNonNull(file.tensors().get("t")).weight("w"))
                .isInstanceOf(ObrException.class)
                .hasMessage("test.gguf: tensor t has type Q5_K, which is not supported; use a file with F32, F16, BF16,"
                        + " Q8_0, Q4_0, Q4_1, Q4_K or Q6_K weights only");
    }

    /** Head, the entries that {@code body} writes, then data enough for small tensors. */
    private static GgufFile read(long tensors, long entries, Consumer<ByteBuffer> body) {
        return GgufFile.of(MemorySegment.ofArray(bytes(tensors, entries, body)), "test.gguf");
    }

    private static byte[] bytes(long tensors, long entries, Consumer<ByteBuffer> body) {
        ByteBuffer buffer =
                ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN).put(head(3, tensors, entries));
        body.accept(buffer);
        return Arrays.copyOf(buffer.array(), Math.ceilDiv(buffer.position(), 32) * 32 + 256);
    }

    private static void failsWith(long tensors, long entries, Consumer<ByteBuffer> body, String fault) {
        fails(bytes(tensors, entries, body), fault);
    }

    private static void fails(byte[] file, String fault) {
        assertThatThrownBy(() -> GgufFile.of(MemorySegment.ofArray(file), "test.gguf"))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("test.gguf")
                .hasMessageContaining(fault);
    }

    private static ByteBuffer head(int version, long tensors, long entries) {
        return ByteBuffer.allocate(24)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {'G', 'G', 'U', 'F'})
                .putInt(version)
                .putLong(tensors)
                .putLong(entries)
                .flip();
    }

    private static ByteBuffer string(ByteBuffer b, String ascii) {
        b.putLong(ascii.length());
        ascii.chars().forEach(c -> b.put((byte) c));
        return b;
    }

    private static ByteBuffer entry(ByteBuffer b, String key, int type) {
        return string(b, key).putInt(type);
    }

    private static ByteBuffer tensor(ByteBuffer b, String name, int type, long offset, long... sizes) {
        string(b, name).putInt(sizes.length);
        for (long size : sizes) {
            b.putLong(size);
        }
        return b.putInt(type).putLong(offset);
    }

    private static ByteBuffer counting(int n) {
        ByteBuffer buffer = ByteBuffer.allocate(n);
        for (int i = 0; i < n; i++) {
            buffer.put((byte) i);
        }
        return buffer.flip();
    }
}
