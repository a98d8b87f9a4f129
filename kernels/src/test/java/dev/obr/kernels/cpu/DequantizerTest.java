package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every storage type means what gguf-py says: see dequantize/PROVENANCE.md. */
class DequantizerTest {
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"F32", "CODES_8", "CODES_4"})
    void readsWhatGgufPyReads(DType type) {
        byte[] blocks = resource(type + ".blocks");
        float[] expected = floats(resource(type + ".floats"));
        float[] actual = new float[expected.length + 3];

        Dequantizer.dequantize(type, MemorySegment.ofArray(blocks), 0, expected.length, actual, 3);

        for (int i = 0; i < expected.length; i++) {
            // gguf-py rounds after each product and sum, as we do, but in another order for types with a minimum
            float rounding = type.blockSize() == 1 ? 0 : 4e-7f * (Math.abs(expected[i]) + 16);
            assertThat(actual[i + 3]).as("weight %d", i).isCloseTo(expected[i], within(rounding));
        }
    }

    private static byte[] resource(String name) {
        try (InputStream in = DequantizerTest.class.getResourceAsStream("dequantize/" + name)) {
            assertThat(in).as(name).isNotNull();
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] floats(byte[] bytes) {
        float[] floats = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
        return floats;
    }
}
