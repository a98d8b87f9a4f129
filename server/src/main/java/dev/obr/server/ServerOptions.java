package dev.obr.server;

import dev.obr.kernels.ObrException;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a server meets its clients.
 *
 * @param host name or address to listen at
 * @param port 0 takes a free one
 * @param keys any of which a client must show; none for a server that is open to all
 * @param alias the model's name in answers; null for its own
 * @param timeout of one request, from its arrival to its end
 * @param bodyLimit bytes of a request at most
 */
public record ServerOptions(
        String host, int port, Set<String> keys, @Nullable String alias, Duration timeout, int bodyLimit) {
    public ServerOptions {
        keys = Set.copyOf(keys);
        if (port < 0 || port > 65535) {
            throw new ObrException("The option port is " + port + ", but must be 0 (any that is free) to 65535.");
        }
        if (!timeout.isPositive()) {
            throw new ObrException("The option timeout is " + timeout.toSeconds() + " seconds, but must be 1 or more.");
        }
        if (keys.stream().anyMatch(String::isBlank)) {
            throw new ObrException("An API key is empty: give it some characters, or leave it out.");
        }
    }

    /** Port 8080 of this machine alone, open to all programs on it, 10 minutes a request, 10 MB. */
    public static ServerOptions defaults() {
        return new ServerOptions("127.0.0.1", 8080, Set.of(), null, Duration.ofMinutes(10), 10_000_000);
    }

    public ServerOptions withPort(int port) {
        return new ServerOptions(host, port, keys, alias, timeout, bodyLimit);
    }

    public ServerOptions withKeys(Set<String> keys) {
        return new ServerOptions(host, port, keys, alias, timeout, bodyLimit);
    }

    public ServerOptions withTimeout(Duration timeout) {
        return new ServerOptions(host, port, keys, alias, timeout, bodyLimit);
    }
}
