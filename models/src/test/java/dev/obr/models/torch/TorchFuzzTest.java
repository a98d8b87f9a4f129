package dev.obr.models.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damages torch files: each opens or is refused with a sentence, and nothing else happens. */
class TorchFuzzTest {
    private static final long SEED = 20260102;
    private static final Path FILES = Path.of("src/test/resources/torch");

    @Test
    void truncations() throws IOException {
        byte[] file = Files.readAllBytes(FILES.resolve("state_dict.bin"));
        for (int length = 0; length < file.length; length++) {
            assertThat(opens(Arrays.copyOf(file, length), length))
                    .as("%d bytes", length)
                    .isFalse();
        }
    }

    @Test
    void damage() throws IOException {
        int opened = 0;
        int count = 0;
        for (String name : new String[] {"state_dict.bin", "parameters.bin", "module.bin"}) {
            byte[] file = Files.readAllBytes(FILES.resolve(name));
            for (int i = 0; i < 5000; i++) {
                opened += opens(damage(file, new Random(SEED + count)), count++) ? 1 : 0;
            }
        }
        assertThat(opened).as("opened all the same").isBetween(1, count - 1);
    }

    /** Opens a file and looks at every tensor. */
    private static boolean opens(byte[] bytes, int mutation) {
        try (Arena arena = Arena.ofConfined()) {
            TorchFile file = TorchFile.of(MemorySegment.ofArray(bytes), "fuzz.bin", arena);
            for (String name : file.names()) {
                try {
                    long size = file.weight(name).memory().byteSize();
                    assertThat(size).isLessThanOrEqualTo(bytes.length);
                } catch (ObrException otherType) {
                    assertThat(otherType.getMessage()).doesNotContain("\n");
                }
            }
            return true;
        } catch (ObrException refused) {
            assertThat(refused.getMessage())
                    .as("mutation %d", mutation)
                    .startsWith("fuzz.bin")
                    .doesNotContain("\n");
            return false;
        } catch (Throwable other) {
            return fail("mutation " + mutation + " is neither opened nor refused", other);
        }
    }

    /** One to three times: another bit or byte, an extreme number, a byte range lost or doubled; mostly in what is no padding. */
    private static byte[] damage(byte[] file, Random random) {
        byte[] bytes = file.clone();
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            int at = random.nextInt(bytes.length - 16);
            for (int tries = 0; tries < 8 && (bytes[at] == 0 || bytes[at] == 'Z'); tries++) {
                at = random.nextInt(bytes.length - 16);
            }
            int length = 1 + random.nextInt(12);
            switch (random.nextInt(6)) {
                case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2, 3 -> bytes[at] = (byte) random.nextInt(256);
                case 4 -> Arrays.fill(bytes, at, at + 1 + random.nextInt(8), (byte) (random.nextBoolean() ? 0xff : 0));
                default -> System.arraycopy(bytes, at, bytes, random.nextInt(bytes.length - length), length);
            }
        }
        return bytes;
    }
}
