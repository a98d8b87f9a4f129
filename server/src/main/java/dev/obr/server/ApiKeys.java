package dev.obr.server;

import com.sun.net.httpserver.Headers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The keys that clients show. Only their hashes are kept, and compared in a time that says nothing of them. */
final class ApiKeys {
    private final List<byte[]> hashes;

    ApiKeys(Set<String> keys) {
        this.hashes = keys.stream().map(ApiKeys::hash).toList();
    }

    /**
     * Lets a request through that shows a key in {@code Authorization: Bearer} or {@code X-Api-Key}.
     *
     * @throws ApiException for all others, unless there are no keys
     */
    void check(Headers headers) {
        if (hashes.isEmpty()) {
            return;
        }
        String shown = shown(headers);
        if (shown == null) {
            throw ApiException.refused(
                    401, "No API key was sent: send the header 'Authorization: Bearer KEY'.", "invalid_api_key");
        }
        byte[] hash = hash(shown);
        boolean known = false;
        for (byte[] one : hashes) {
            known |= MessageDigest.isEqual(one, hash);
        }
        if (!known) {
            throw ApiException.refused(401, "The API key is not one of this server's.", "invalid_api_key");
        }
    }

    private static @Nullable String shown(Headers headers) {
        String authorization = headers.getFirst("Authorization");
        if (authorization != null && authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return authorization.substring(7).strip();
        }
        return headers.getFirst("X-Api-Key");
    }

    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
