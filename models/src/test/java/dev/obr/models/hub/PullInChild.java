package dev.obr.models.hub;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A pull in a process of its own, to be killed. */
final class PullInChild {
    private PullInChild() {}

    /** @param arguments the hub's address and the cache */
    public static void main(String[] arguments) {
        HubOptions options = HubOptions.fromEnvironment(Map.of())
                .withEndpoint(URI.create(arguments[0]))
                .withCache(Path.of(arguments[1]))
                .withToken(null);
        new ModelHub(options).pull(ModelReference.parse("org/tiny"), List.of(), PullProgress.SILENT);
    }
}
