package dev.obr.models.hub;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where models come from and where they are kept.
 *
 * @param endpoint the hub, or a mirror of it
 * @param cache the folder that holds {@code models--ORG--NAME} for every model
 * @param token says to the hub who asks; sent to {@code endpoint} only
 * @param offline nothing is asked of the hub
 * @param links whether snapshots are symbolic links into blobs where the file system has these; otherwise they are files of their own
 * @param proxies through which the hub is reached
 * @param patience when to try again
 */
public record HubOptions(
        URI endpoint,
        Path cache,
        @Nullable AccessToken token,
        boolean offline,
        boolean links,
        ProxySettings proxies,
        Patience patience) {

    /** As the environment says, in the variables of Python's huggingface_hub: HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_HUB_OFFLINE, .. and HTTPS_PROXY. */
    public static HubOptions fromEnvironment(Map<String, String> environment) {
        return new HubEnvironment(environment).options();
    }

    public HubOptions withEndpoint(URI other) {
        return new HubOptions(other, cache, token, offline, links, proxies, patience);
    }

    public HubOptions withCache(Path other) {
        return new HubOptions(endpoint, other, token, offline, links, proxies, patience);
    }

    public HubOptions withToken(@Nullable AccessToken other) {
        return new HubOptions(endpoint, cache, other, offline, links, proxies, patience);
    }

    public HubOptions withOffline(boolean other) {
        return new HubOptions(endpoint, cache, token, other, links, proxies, patience);
    }

    public HubOptions withLinks(boolean other) {
        return new HubOptions(endpoint, cache, token, offline, other, proxies, patience);
    }

    public HubOptions withProxies(ProxySettings other) {
        return new HubOptions(endpoint, cache, token, offline, links, other, patience);
    }

    public HubOptions withPatience(Patience other) {
        return new HubOptions(endpoint, cache, token, offline, links, proxies, other);
    }
}
