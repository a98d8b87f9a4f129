package dev.obr.models;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damages files as disks, networks and malice do. */
public final class Damage {
    /** What damaged JSON may suddenly say. */
    private static final List<String> JSON_SPLICES = List.of(
            "-1",
            "0",
            "1",
            "null",
            "true",
            "[]",
            "{}",
            "\"\"",
            "1e308",
            "-0.5",
            "2147483647",
            "2147483648",
            "9223372036854775807",
            "18446744073709551615",
            "99999999999999999999999",
            "\"../x\"",
            "[[[[[[",
            "\\u0000",
            ",");

    private Damage() {}

    /** One to three times: other bits, an extreme number, a splice of JSON, a byte range lost or doubled, or the end cut off. */
    public static byte[] of(byte[] file, int end, Random random) {
        byte[] bytes = file.clone();
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            int limit = Math.min(end, bytes.length - 16);
            if (limit <= 0) {
                break;
            }
            int at = random.nextInt(limit);
            int length = 1 + random.nextInt(12);
            switch (random.nextInt(8)) {
                case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = (byte) random.nextInt(256);
                case 3 -> Arrays.fill(bytes, at, at + 1 + random.nextInt(8), (byte) (random.nextBoolean() ? 0xff : 0));
                case 4 -> bytes[at] = (byte) ('0' + random.nextInt(10));
                case 5 -> bytes = replace(bytes, at, random.nextInt(8), splice(random));
                case 6 ->
                    bytes = random.nextBoolean()
                            ? replace(bytes, at, length, new byte[0])
                            : replace(bytes, at, 0, Arrays.copyOfRange(bytes, at, at + length));
                default -> bytes = random.nextInt(4) == 0 ? Arrays.copyOf(bytes, at) : bytes;
            }
        }
        return bytes;
    }

    private static byte[] splice(Random random) {
        return JSON_SPLICES.get(random.nextInt(JSON_SPLICES.size())).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] replace(byte[] bytes, int at, int length, byte[] by) {
        byte[] result = new byte[bytes.length - length + by.length];
        System.arraycopy(bytes, 0, result, 0, at);
        System.arraycopy(by, 0, result, at, by.length);
        System.arraycopy(bytes, at + length, result, at + by.length, bytes.length - at - length);
        return result;
    }
}
