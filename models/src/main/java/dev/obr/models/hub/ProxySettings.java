package dev.obr.models.hub;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * HTTP proxies, as {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY} and {@code NO_PROXY} name them. Where they name none, the JVM's own settings hold (-Dhttps.proxyHost, ..).
 *
 * @param http for plain addresses
 * @param https for encrypted ones
 * @param direct hosts that need none: {@code host}, {@code .domain}, {@code host:port} or {@code *}
 */
public record ProxySettings(@Nullable URI http, @Nullable URI https, List<String> direct) {
    /** As the JVM is set up. */
    public static final ProxySettings OF_JVM = new ProxySettings(null, null, List.of());

    public ProxySettings {
        direct = List.copyOf(direct);
    }

    /** Lower-case names win, as for curl. */
    public static ProxySettings fromEnvironment(Map<String, String> environment) {
        String direct = value(environment, "no_proxy");
        return new ProxySettings(
                proxy(environment, "http_proxy"),
                proxy(environment, "https_proxy"),
                Stream.of(direct.split(","))
                        .map(host -> host.strip().toLowerCase(Locale.ROOT))
                        .filter(host -> !host.isEmpty())
                        .toList());
    }

    private static String value(Map<String, String> environment, String name) {
        String upper = environment.getOrDefault(name.toUpperCase(Locale.ROOT), "");
        return environment.getOrDefault(name, upper).strip();
    }

    private static @Nullable URI proxy(Map<String, String> environment, String name) {
        String own = value(environment, name);
        String text = own.isEmpty() ? value(environment, "all_proxy") : own;
        if (text.isEmpty()) {
            return null;
        }
        String variable = (own.isEmpty() ? "all_proxy" : name).toUpperCase(Locale.ROOT);
        try {
            URI uri = new URI(text.contains("://") ? text : "http://" + text);
            if ("http".equalsIgnoreCase(uri.getScheme()) && uri.getHost() != null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            throw new ObrException(variable + " is no address of a proxy; write http://HOST:PORT", e);
        }
        throw new ObrException(variable + " names no HTTP proxy, and other kinds are not used; write http://HOST:PORT");
    }

    /** Chooses for each address. */
    ProxySelector selector() {
        return http == null && https == null ? ProxySelector.getDefault() : new Selector(this);
    }

    /**
     * What tells the proxy of an address the name and password in the proxy's own address, or null where there are none. It is a header rather than an {@link java.net.Authenticator}, with
     * which Java's client makes errors of a server's refusals.
     */
    @Nullable
    String authorization(URI address) {
        URI proxy = proxy(address);
        String user = proxy == null ? null : proxy.getRawUserInfo();
        return user == null
                ? null
                : "Basic " + Base64.getEncoder().encodeToString(decoded(user).getBytes(StandardCharsets.UTF_8));
    }

    private @Nullable URI proxy(URI address) {
        return isDirect(address) ? null : "https".equalsIgnoreCase(address.getScheme()) ? https : http;
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private boolean isDirect(URI uri) {
        String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
        return direct.stream()
                .map(entry -> entry.startsWith("*.") ? entry.substring(1) : entry)
                .anyMatch(entry -> entry.equals("*")
                        || entry.equals(host)
                        || entry.equals(host + ":" + port(uri))
                        || host.endsWith(entry.startsWith(".") ? entry : "." + entry));
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
    }

    /** Without the proxies, whose addresses may hold passwords. */
    @Override
    public String toString() {
        return "ProxySettings[direct=" + direct + "]";
    }

    private static final class Selector extends ProxySelector {
        private final ProxySettings settings;

        Selector(ProxySettings settings) {
            this.settings = settings;
        }

        @Override
        public List<Proxy> select(URI uri) {
            URI proxy = settings.proxy(uri);
            return List.of(
                    proxy == null
                            ? Proxy.NO_PROXY
                            : new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port(proxy))));
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {
            // the request fails and says so
        }
    }
}
