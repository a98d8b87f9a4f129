package dev.obr.cli;

import dev.obr.kernels.ObrException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** UTF-8 text that a user gives. */
final class TextFile {
    private TextFile() {}

    /** The text of a file. */
    static String read(Path file) {
        if (Files.isDirectory(file)) {
            throw new ObrException(file + " is a folder; give a text file");
        }
        try (InputStream in = new FileInputStream(file.toFile())) {
            return decode(file.toString(), in.readAllBytes());
        } catch (IOException e) {
            throw new ObrException(
                    Files.exists(file)
                            ? file + " cannot be read: " + e.getMessage() + "; check its permissions"
                            : file + " does not exist; check the path",
                    e);
        }
    }

    /**
     * The text of {@code utf8}.
     *
     * @throws ObrException naming the first byte that is not UTF-8
     */
    static String decode(String source, byte[] utf8) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(utf8);
        CharBuffer out = CharBuffer.allocate(utf8.length);
        CoderResult end = decoder.decode(in, out, true);
        if (end.isError()) {
            throw new ObrException(String.format(
                    "%s is not UTF-8: byte 0x%02x at offset %d; convert it, for example with iconv -t UTF-8",
                    source, utf8[in.position()], in.position()));
        }
        return out.flip().toString();
    }
}
