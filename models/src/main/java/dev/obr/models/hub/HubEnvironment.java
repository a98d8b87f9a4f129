package dev.obr.models.hub;

import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the variables that Python's huggingface_hub reads, with the same meaning. */
final class HubEnvironment {
    private static final String HUB = "https://huggingface.co";
    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)}|(\\w+))");

    private final Map<String, String> variables;

    HubEnvironment(Map<String, String> variables) {
        this.variables = variables;
    }

    HubOptions options() {
        Path home = folder(
                "HF_HOME", folder("XDG_CACHE_HOME", home().resolve(".cache")).resolve("huggingface"));
        Path cache = folder("HF_HUB_CACHE", folder("HUGGINGFACE_HUB_CACHE", home.resolve("hub")));
        return new HubOptions(
                endpoint(variables.getOrDefault("HF_ENDPOINT", "").strip()),
                cache,
                AccessToken.find(variables, folder("HF_TOKEN_PATH", home.resolve("token"))),
                isTrue(variables.get("HF_HUB_OFFLINE")) || isTrue(variables.get("TRANSFORMERS_OFFLINE")),
                !isTrue(variables.get("HF_HUB_DISABLE_SYMLINKS")),
                ProxySettings.fromEnvironment(variables),
                Patience.DEFAULT);
    }

    static boolean isTrue(@Nullable String value) {
        return value != null && TRUE.contains(value.toUpperCase(Locale.ROOT));
    }

    private static URI endpoint(String text) {
        String endpoint = text.isEmpty() ? HUB : text.replaceAll("/+$", "");
        try {
            URI uri = new URI(endpoint);
            boolean web = "https".equalsIgnoreCase(uri.getScheme()) || "http".equalsIgnoreCase(uri.getScheme());
            if (web && uri.getHost() != null && uri.getQuery() == null && uri.getUserInfo() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            throw new ObrException(wrongEndpoint(text), e);
        }
        throw new ObrException(wrongEndpoint(text));
    }

    private static String wrongEndpoint(String text) {
        return "HF_ENDPOINT is '" + text + "', but must be the address of a hub, such as " + HUB;
    }

    private Path folder(String variable, Path otherwise) {
        String value = variables.getOrDefault(variable, "");
        if (value.isEmpty()) {
            return otherwise;
        }
        try {
            String expanded = expanded(value);
            return expanded.equals("~") || expanded.startsWith("~/")
                    ? home().resolve(expanded.substring(Math.min(2, expanded.length())))
                    : Path.of(expanded);
        } catch (InvalidPathException e) {
            throw new ObrException(variable + " is '" + value + "', which is no path (" + e.getReason() + ")", e);
        }
    }

    /** {@code $NAME} and {@code ${NAME}} become what they stand for; unknown ones stay. */
    private String expanded(String value) {
        return VARIABLE.matcher(value).replaceAll(found -> {
            String name = found.group(1) == null ? found.group(2) : found.group(1);
            return Matcher.quoteReplacement(variables.getOrDefault(name, found.group()));
        });
    }

    private Path home() {
        String home = variables.getOrDefault("HOME", "");
        return Path.of(home.isEmpty() ? HostSettings.userHome() : home);
    }
}
