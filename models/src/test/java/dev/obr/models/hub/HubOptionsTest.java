package dev.obr.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.FolderName;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The environment, with the meaning that it has for Python's huggingface_hub, and names of models. */
class HubOptionsTest {
    @TempDir
    Path home;

    /** As huggingface_hub's constants.py resolves them. */
    @ParameterizedTest
    @CsvSource({
        "HOME=/h, /h/.cache/huggingface/hub",
        "HOME=/h XDG_CACHE_HOME=/x, /x/huggingface/hub",
        "HOME=/h XDG_CACHE_HOME=/x HF_HOME=/hf, /hf/hub",
        "HOME=/h HF_HOME=~/hf, /h/hf/hub",
        "HOME=/h HF_HOME=$HOME/${A}/$UNKNOWN A=b, /h/b/$UNKNOWN/hub",
        "HF_HOME=/hf HUGGINGFACE_HUB_CACHE=/old, /old",
        "HF_HOME=/hf HUGGINGFACE_HUB_CACHE=/old HF_HUB_CACHE=/new, /new"
    })
    void findsTheCache(String variables, Path cache) {
        assertThat(options(variables).cache()).isEqualTo(cache);
    }

    @Test
    void findsTheToken() throws IOException {
        String hf = "HF_HOME=" + home;
        assertThat(options(hf).token()).isNull();
        Files.writeString(home.resolve("token"), "hf_file\n");
        assertThat(options(hf).token()).isEqualTo(new AccessToken("hf_file"));
        assertThat(options(hf + " HF_TOKEN=hf_set").token()).isEqualTo(new AccessToken("hf_set"));
        assertThat(options(hf + " HF_HUB_DISABLE_IMPLICIT_TOKEN=1").token()).isNull();
        Path other = Files.writeString(home.resolve("other"), "hf_other");
        assertThat(options(hf + " HF_TOKEN_PATH=" + other).token()).isEqualTo(new AccessToken("hf_other"));
        Files.writeString(other, "two\nlines");
        assertThatThrownBy(() -> options(hf + " HF_TOKEN_PATH=" + other))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("is not one line")
                .message()
                .doesNotContain("two");
    }

    @Test
    void readsTheRest() {
        HubOptions plain = options("HF_HOME=/none");
        assertThat(plain.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
        assertThat(plain.offline()).isFalse();
        assertThat(plain.links()).isTrue();
        HubOptions set = options(
                "HF_HOME=/none HF_ENDPOINT=http://mirror:8000/hub/ HF_HUB_OFFLINE=yes HF_HUB_DISABLE_SYMLINKS=1");
        assertThat(set.endpoint()).isEqualTo(URI.create("http://mirror:8000/hub"));
        assertThat(set.offline()).isTrue();
        assertThat(set.links()).isFalse();
        assertThat(options("HF_HOME=/none TRANSFORMERS_OFFLINE=on HF_HUB_OFFLINE=0")
                        .offline())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"huggingface.co", "ftp://hub", "http://", "http://a b", "https://u:p@hub", "https://hub?x=1"})
    void refusesWhatIsNoEndpoint(String endpoint) {
        assertThatThrownBy(() -> HubOptions.fromEnvironment(Map.of("HF_ENDPOINT", endpoint)))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("HF_ENDPOINT is '" + endpoint + "', but must be the address of a hub");
    }

    @ParameterizedTest
    @CsvSource({
        "https_proxy=http://p:3128, https://hub, p:3128",
        "HTTPS_PROXY=p:3128, https://hub, p:3128",
        "HTTPS_PROXY=http://p, https://hub, p:80",
        "HTTPS_PROXY=http://p:1 https_proxy=http://q:2, https://hub, q:2",
        "HTTPS_PROXY=http://p:1, http://hub, direct",
        "ALL_PROXY=http://p:1 http_proxy=http://q:2, http://hub, q:2",
        "ALL_PROXY=http://p:1 http_proxy=http://q:2, https://hub, p:1",
        "HTTPS_PROXY=http://p:1 NO_PROXY=hub, https://hub, direct",
        "HTTPS_PROXY=http://p:1 NO_PROXY=other;.co, https://hf.co, direct",
        "HTTPS_PROXY=http://p:1 NO_PROXY=co, https://hf.co, direct",
        "HTTPS_PROXY=http://p:1 NO_PROXY=f.co, https://hf.co, p:1",
        "HTTPS_PROXY=http://p:1 NO_PROXY=hub:443, https://hub, direct",
        "HTTPS_PROXY=http://p:1 NO_PROXY=hub:8443, https://hub, p:1",
        "HTTPS_PROXY=http://p:1 no_proxy=*, https://hub, direct"
    })
    void choosesProxies(String variables, URI address, String proxy) {
        Proxy chosen = ProxySettings.fromEnvironment(environment(variables.replace(';', ',')))
                .selector()
                .select(address)
                .getFirst();
        assertThat(chosen.address() instanceof InetSocketAddress a ? a.getHostString() + ":" + a.getPort() : "direct")
                .isEqualTo(proxy);
    }

    @Test
    void proxiesHearTheirOwnPassword() {
        ProxySettings proxies = ProxySettings.fromEnvironment(
                environment("HTTPS_PROXY=http://us%40er:p%3Ass@p:1 NO_PROXY=direct.host"));
        // base64 of us@er:p:ss
        assertThat(proxies.authorization(URI.create("https://hub"))).isEqualTo("Basic dXNAZXI6cDpzcw==");
        assertThat(proxies.authorization(URI.create("https://direct.host"))).isNull();
        assertThat(proxies.authorization(URI.create("http://hub"))).isNull();
    }

    @Test
    void withoutProxiesTheJvmsSettingsHold() {
        assertThat(ProxySettings.fromEnvironment(Map.of()).selector()).isSameAs(ProxySelector.getDefault());
        assertThatThrownBy(() -> ProxySettings.fromEnvironment(Map.of("ALL_PROXY", "socks5://secret@p:1")))
                .isInstanceOf(ObrException.class)
                .hasMessage("ALL_PROXY names no HTTP proxy, and other kinds are not used; write http://HOST:PORT");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Qwen/Qwen3-0.6B", "a/b", "a_b/c.d-e@main", "a/b@refs/pr/1", "a/b@v1.0"})
    void namesOfModels(String text) {
        assertThat(ModelReference.matches(text)).isTrue();
        assertThat(ModelReference.parse(text).toString()).isEqualTo(text.replace("@main", ""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gpt2",
                "a/b/c",
                "/a",
                "a/",
                "../b",
                "a/..",
                "a/b--c",
                ".a/b",
                "a/b.git",
                "a/-b",
                "a/b@",
                "a/b@../x",
                "a b/c",
                "a/b@x\\y",
                "a/b@/x",
                "./model"
            })
    void whatIsNoModelsName(String text) {
        assertThat(ModelReference.matches(text)).isFalse();
        assertThatThrownBy(() -> ModelReference.parse(text)).isInstanceOf(ObrException.class);
    }

    @Test
    void modelsOfTheCacheAreCalledByTheirNames() {
        assertThat(FolderName.of(Path.of("/c/models--Qwen--Qwen3-0.6B/snapshots/" + HubStub.COMMIT)))
                .isEqualTo("Qwen/Qwen3-0.6B");
        assertThat(FolderName.of(Path.of("/c/some/snapshots/x"))).isEqualTo("x");
        assertThat(FolderName.of(Path.of("/c/model/"))).isEqualTo("model");
        assertThat(FolderName.of(Path.of("/"))).isEqualTo("/");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "999, 999 B",
        "1000, 1.0 kB",
        "9949, 9.9 kB",
        "12345678, 12 MB",
        "999600, 1.0 MB",
        "1500000000, 1.5 GB"
    })
    void sizes(long bytes, String text) {
        assertThat(SizeText.of(bytes)).isEqualTo(text);
    }

    private static HubOptions options(String variables) {
        return HubOptions.fromEnvironment(environment(variables));
    }

    private static Map<String, String> environment(String variables) {
        Map<String, String> environment = new HashMap<>();
        for (String variable : variables.split(" ", -1)) {
            String[] parts = variable.split("=", 2);
            environment.put(parts[0], parts[1]);
        }
        return environment;
    }
}
