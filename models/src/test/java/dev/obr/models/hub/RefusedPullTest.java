package dev.obr.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a hub's refusals become, where the token goes, and when a pull waits. */
class RefusedPullTest extends HubTestCase {
    private static final String LISTING = "/revision/main";
    private static final AccessToken TOKEN = new AccessToken("hf_secret");

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of(401, "RepoNotFound", false, "org/tiny does not exist or is private (401"),
                Arguments.of(401, "", true, "org/tiny may not be read with your token (401"),
                Arguments.of(401, "GatedRepo", false, "org/tiny is gated: accept its terms at http"),
                Arguments.of(403, "GatedRepo", true, "make sure that the token may read gated models"),
                Arguments.of(403, "", true, "check its rights at http"),
                Arguments.of(404, "RepoNotFound", true, "org/tiny does not exist at http"),
                Arguments.of(404, "RevisionNotFound", false, "org/tiny has no revision 'main'"),
                Arguments.of(407, "", false, "wants a name and a password"),
                Arguments.of(418, "", false, "was refused by 127.0.0.1 (418"));
    }

    @ParameterizedTest
    @MethodSource
    void refusals(int status, String code, boolean known, String sentence) {
        stub.faults(LISTING, HubStub.refuse(status, "X-Error-Code", code, "X-Error-Message", "said so"));
        assertThatThrownBy(() -> pull(known ? options().withToken(TOKEN) : options()))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining(sentence)
                .hasMessageContaining("http")
                .message()
                .doesNotContain("hf_secret");
        assertThat(stub.requests()).hasSize(1); // nothing would change by asking again
    }

    @Test
    void aFileThatIsRefusedIsNamed() {
        stub.faults("config.json", HubStub.refuse(404, "X-Error-Code", "EntryNotFound"));
        assertThatThrownBy(this::pull).hasMessageContaining("org/tiny: config.json was refused");
    }

    @Test
    void onlyTheHubHearsTheToken() {
        assertWhole(pull(options().withToken(TOKEN)));
        for (HubStub.Request request : stub.requests()) {
            assertThat(request.token())
                    .as(request.server())
                    .isEqualTo(request.server().equals("hub") ? "Bearer hf_secret" : null);
        }
        assertThat(ranges()).hasSize(1);
        assertThat(options().withToken(TOKEN).toString()).doesNotContain("hf_secret");
    }

    @Test
    void aRenamedModelIsFollowedOnTheHub() {
        stub.faults(LISTING, HubStub.refuse(307, "Location", "/api/models/org/tiny/revision/main?blobs=true"));
        assertWhole(pull(options().withToken(TOKEN)));
        assertThat(stub.requests().get(1).token()).isEqualTo("Bearer hf_secret");
    }

    @ParameterizedTest
    @MethodSource
    void wrongRedirects(String location, String sentence) {
        HubStub.Fault away = HubStub.refuse(302, "Location", location);
        HubStub.Fault[] always = Stream.generate(() -> away).limit(20).toArray(HubStub.Fault[]::new);
        stub.faults(LISTING, always);
        assertThatThrownBy(this::pull).isInstanceOf(ObrException.class).hasMessageContaining(sentence);
    }

    static Stream<Arguments> wrongRedirects() {
        return Stream.of(
                Arguments.of("/api/models/org/tiny/revision/main", "leads from one address to the next"),
                Arguments.of("file:///etc/passwd", "leads to 'file:///etc/passwd'"),
                Arguments.of("", "leads to ''"),
                Arguments.of("http:///", "leads to 'http:///'"),
                Arguments.of("ht tp", "which is no address"));
    }

    /** An address that storage signed has ended: the hub signs another. */
    @Test
    void refusalsOfStorageAreAskedAnewOfTheHub() {
        stub.faults("model.safetensors", HubStub.refuse(403));
        assertWhole(pull());
        assertThat(stub.requests())
                .filteredOn(request -> request.path().startsWith("/org/tiny/resolve/")
                        && request.path().endsWith("model.safetensors"))
                .hasSize(2);
    }

    @Test
    void waitsAsLongAsTheServerAsks() {
        stub.faults(LISTING, HubStub.refuse(429, "Retry-After", "1"), HubStub.refuse(503, "Retry-After", "0"));
        stub.faults(
                "config.json",
                HubStub.refuse(429, "Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),
                HubStub.refuse(429, "RateLimit", "\"api\";r=0;t=0"));
        long start = System.nanoTime();
        assertWhole(pull());
        assertThat(System.nanoTime() - start).isGreaterThan(1_000_000_000L);
        assertThat(notes).filteredOn(note -> note.contains("again in")).hasSize(4);
    }

    @Test
    void longWaitsAreLeftToTheUser() {
        stub.faults(LISTING, HubStub.refuse(429, "Retry-After", "3600"));
        assertThatThrownBy(this::pull).hasMessageContaining("answered 429, asks to wait 3600 s");
    }

    @Test
    void failuresOfTheServerAreTriedAgainSomeTimes() {
        stub.faults(LISTING, HubStub.refuse(500), HubStub.refuse(502), HubStub.refuse(504));
        assertWhole(pull());
        HubStub.Fault down = HubStub.refuse(503);
        stub.faults(LISTING, down, down, down, down, down);
        stub.forget();
        assertThatThrownBy(this::pull).hasMessageContaining("answered 503");
        assertThat(stub.requests()).hasSize(4);
    }

    @Test
    void aHubThatIsNotThereIsOneSentence() throws IOException {
        int port;
        try (ServerSocket taken = new ServerSocket(0)) {
            port = taken.getLocalPort();
        }
        HubOptions nowhere = options().withEndpoint(URI.create("http://127.0.0.1:" + port));
        assertThatThrownBy(() -> pull(nowhere))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("could not be fetched from http://127.0.0.1:" + port)
                .hasMessageContaining("HTTPS_PROXY");
    }

    @Test
    void aProxyIsAskedWhereOneIsNamed() {
        HubOptions elsewhere = options().withEndpoint(URI.create("http://hub.invalid:80"));
        // the stub answers for any host, as a proxy does
        URI proxy = URI.create(stub.endpoint().toString().replace("//", "//me:pw@"));
        ProxySettings proxies = new ProxySettings(proxy, null, List.of("127.0.0.1"));
        assertWhole(pull(elsewhere.withProxies(proxies)));
        for (HubStub.Request request : stub.requests()) {
            assertThat(request.proxyPassword())
                    .as(request.server())
                    .isEqualTo(request.server().equals("hub") ? "Basic bWU6cHc=" : null);
        }
    }
}
