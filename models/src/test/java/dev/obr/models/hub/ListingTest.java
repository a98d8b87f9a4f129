package dev.obr.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.models.Damage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Listings that name files elsewhere, lie, or are no listings. */
class ListingTest extends HubTestCase {
    private static final int MUTATIONS = 5000;
    private static final long SEED = 20260102;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil.json",
                "a/../../evil.json",
                "/etc/evil.json",
                "..",
                ".",
                "",
                "a//b.json",
                "a/",
                "./config.json",
                "C:evil.json",
                "C:/evil.json",
                "..\\\\evil.json",
                "\\\\\\\\host\\\\evil.json",
                "a/.. /evil.json",
                "evil.json.",
                "evil\\u0000.json",
                "evil\\n.json",
                "\\ud800.json"
            })
    void namesThatLeadElsewhereAreRefused(String name) throws Exception {
        stub.listing(stub.listingJson().replace("config.json", name));
        assertThatThrownBy(this::pull)
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("with a file named")
                .hasMessageContaining("nothing was fetched");
        assertThat(filesBelow(cache)).isEmpty();
        assertThat(stub.requests()).hasSize(1);
    }

    static Stream<Arguments> wrongListings() {
        String good = "{\"sha\":\"" + HubStub.COMMIT + "\",\"siblings\":";
        return Stream.of(
                Arguments.of("<html>sign in to the network</html>", "no JSON"),
                Arguments.of("[]", "without a commit: sha is null"),
                Arguments.of("{\"sha\":\"../../x\",\"siblings\":[]}", "sha is \"../../x\""),
                Arguments.of("{\"sha\":\"main\",\"siblings\":[]}", "without a commit"),
                Arguments.of(good + "{}}", "without files"),
                Arguments.of(good + "[7]}", "with a file named null"),
                Arguments.of(good + "[{\"rfilename\":\"a\"},{\"rfilename\":\"a\"}]}", "with 'a' twice"),
                Arguments.of(good + "[{\"rfilename\":\"a\",\"size\":9223372036854775807}]}", "with a file of"),
                Arguments.of(good + "[{\"rfilename\":\"a\",\"size\":1e300}]}", "with a file of"),
                Arguments.of(good + "[]}", "has neither safetensors nor GGUF files"));
    }

    @ParameterizedTest
    @MethodSource
    void wrongListings(String json, String sentence) {
        stub.listing(json);
        assertThatThrownBy(this::pull).isInstanceOf(ObrException.class).hasMessageContaining(sentence);
    }

    /** Whatever a listing says, it is refused with a sentence, or all its names stay inside. */
    @Test
    void damagedListingsAreReadOrRefused() {
        stub.small("sub/a.json", "1").large("b.gguf", new byte[3]);
        byte[] whole = stub.listingJson().getBytes(StandardCharsets.UTF_8);
        Path folder = Path.of("/snapshots/x");
        int read = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] damaged = Damage.of(whole, whole.length, new Random(SEED + i));
            try {
                RepositoryListing listing = RepositoryListing.parse(damaged, "fuzz");
                listing.entries()
                        .forEach(file -> assertThat(RepositoryPath.resolve(folder, file.path()))
                                .startsWithRaw(folder)
                                .isNotEqualTo(folder));
                new FileSelection(TINY, listing.entries()).choose(List.of());
                read++;
            } catch (ObrException refused) {
                assertThat(refused.getMessage())
                        .as("mutation %d", i)
                        .isNotBlank()
                        .doesNotContain("\n");
            }
        }
        assertThat(read).isBetween(1, MUTATIONS - 1);
    }

    @Test
    void aFileThatIsAFolderTooIsOneSentence() {
        stub.small("x.json", "1").small("x.json/y.json", "2");
        assertThatThrownBy(this::pullAllJson).isInstanceOf(ObrException.class).hasMessageStartingWith("cannot write");
    }

    private void pullAllJson() {
        pull(options(), "*.json");
    }

    @Test
    void encodesWhatIsNotPlain() {
        assertThat(RepositoryPath.encoded("a b/é#?%.json")).isEqualTo("a%20b/%C3%A9%23%3F%25.json");
        assertThat(RepositoryPath.encodedPart("refs/pr/1")).isEqualTo("refs%2Fpr%2F1");
    }

    @Test
    void hashesAreThoseOfGitAndOfLargeFiles() {
        // `printf 'hello world\n' | git hash-object --stdin`, and FIPS 180's SHA-256 of abc
        byte[] hello = "hello world\n".getBytes(StandardCharsets.UTF_8);
        assertThat(HexFormat.of()
                        .formatHex(new ContentHash("3b18e512dba79e4c8300dd08aeb37f8e728b8dad")
                                .digest(hello.length)
                                .digest(hello)))
                .isEqualTo("3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
        byte[] abc = "abc".getBytes(StandardCharsets.UTF_8);
        String known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assertThat(HexFormat.of().formatHex(new ContentHash(known).digest(3).digest(abc)))
                .isEqualTo(known);
        assertThat(ContentHash.ofEtag("W/\"" + known + "\"")).isEqualTo(new ContentHash(known));
        assertThat(ContentHash.ofEtag("\"5f-abc\"")).isNull();
        assertThat(ContentHash.ofEtag(null)).isNull();
    }
}
