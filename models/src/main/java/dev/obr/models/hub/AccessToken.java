package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What says to the hub who is asking; never shown. */
public record AccessToken(String value) {
    public AccessToken {
        if (value.isEmpty() || value.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new ObrException("the hub's access token (HF_TOKEN, or the file that HF_TOKEN_PATH names) is not one"
                    + " line of plain characters; copy it again");
        }
    }

    /** {@code HF_TOKEN}, or the file that a log-in has left; null where there is neither. */
    static @Nullable AccessToken find(Map<String, String> environment, Path file) {
        if (HubEnvironment.isTrue(environment.get("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) {
            return null;
        }
        for (String variable : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            String value = environment.getOrDefault(variable, "").strip();
            if (!value.isEmpty()) {
                return new AccessToken(value);
            }
        }
        try {
            String value = Files.isRegularFile(file) ? Files.readString(file).strip() : "";
            return value.isEmpty() ? null : new AccessToken(value);
        } catch (IOException e) {
            throw new ObrException(
                    file + ", which holds the hub's access token, cannot be read (" + e.getMessage()
                            + "); change its permissions or set HF_TOKEN",
                    e);
        }
    }

    @Override
    public String toString() {
        return "AccessToken[hidden]";
    }
}
