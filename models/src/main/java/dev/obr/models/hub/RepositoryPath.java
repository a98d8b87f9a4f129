package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Names of files in a repository, as a server sends them: nothing becomes a path before it was checked here. */
final class RepositoryPath {
    private static final int LONGEST_PART = 240; // bytes; file systems take 255, and a suffix is put behind some
    private static final int LONGEST = 1000;

    private RepositoryPath() {}

    /** Whether a name stays inside its folder on every system: relative, of plain parts, without what Windows reads as a drive or drops from the end. */
    static boolean isSafe(String name) {
        if (name.isEmpty() || name.length() > LONGEST) {
            return false;
        }
        for (String part : name.split("/", -1)) {
            if (!isSafePart(part)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isSafePart(String part) {
        return !part.isEmpty()
                && part.chars().noneMatch(c -> Character.isISOControl(c) || c == '\\' || c == ':')
                && !part.endsWith(".")
                && !part.endsWith(" ")
                && StandardCharsets.UTF_8.newEncoder().canEncode(part) // no half of a pair
                && part.getBytes(StandardCharsets.UTF_8).length <= LONGEST_PART;
    }

    /** The file of that name inside {@code folder}. */
    static Path resolve(Path folder, String name) {
        Path file;
        try {
            file = folder.resolve(name).normalize();
        } catch (InvalidPathException e) {
            throw new ObrException(
                    "'" + name + "' is no path that this system can name in its locale (" + e.getReason()
                            + "); set LC_ALL=C.UTF-8",
                    e);
        }
        if (!isSafe(name) || !file.startsWith(folder.normalize()) || file.equals(folder.normalize())) {
            throw new ObrException("'" + name + "' would lie outside " + folder + "; nothing was written");
        }
        return file;
    }

    /** The name in a URL: what is not plain is percent-encoded; slashes stay. */
    static String encoded(String name) {
        return percentEncoded(name, "/");
    }

    /** A name that is one part of a URL: slashes are encoded, too. */
    static String encodedPart(String name) {
        return percentEncoded(name, "");
    }

    private static String percentEncoded(String name, String alsoPlain) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (plain || ("-_.~" + alsoPlain).indexOf(c) >= 0) {
                encoded.append(c);
            } else {
                encoded.append('%')
                        .append(Character.toUpperCase(Character.forDigit(c >> 4, 16)))
                        .append(Character.toUpperCase(Character.forDigit(c & 15, 16)));
            }
        }
        return encoded.toString();
    }
}
