package dev.obr.models.hub;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a file's bytes must come to, and the name under which they lie in the cache: SHA-256 of large files, and of small ones git's SHA-1.
 *
 * @param hex 64 or 40 digits
 */
record ContentHash(String hex) {
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{64}|[0-9a-f]{40}");

    ContentHash {
        if (!FORM.matcher(hex).matches()) {
            throw new IllegalArgumentException(hex);
        }
    }

    /** The hash in {@code text}, or null where it holds none. */
    static @Nullable ContentHash of(@Nullable String text) {
        String hex = text == null ? "" : text.toLowerCase(Locale.ROOT);
        return FORM.matcher(hex).matches() ? new ContentHash(hex) : null;
    }

    /** The hash in an ETag, {@code "hash"} or {@code W/"hash"}, or null where it is something else. */
    static @Nullable ContentHash ofEtag(@Nullable String etag) {
        return of(etag == null ? null : etag.replaceFirst("^W/", "").replace("\"", ""));
    }

    String algorithm() {
        return hex.length() == 64 ? "SHA-256" : "SHA-1";
    }

    /** Begins to add up a file of {@code size} bytes. */
    MessageDigest digest(long size) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm());
            if (hex.length() == 40) {
                digest.update(("blob " + size + "\0").getBytes(StandardCharsets.UTF_8)); // git's header of a file
            }
            return digest;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-1 and SHA-256", e);
        }
    }
}
