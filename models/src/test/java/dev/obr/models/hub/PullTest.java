package dev.obr.models.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where pulled files lie, and what is asked of the hub for them. */
class PullTest extends HubTestCase {
    @Test
    void liesAsPythonsLibraryLaysIt() throws IOException {
        Path snapshot = pull();
        assertThat(snapshot).isEqualTo(folder().resolve("snapshots/" + HubStub.COMMIT));
        assertWhole(snapshot);
        assertThat(folder().resolve("refs/main")).hasContent(HubStub.COMMIT);
        assertThat(Files.readSymbolicLink(snapshot.resolve("model.safetensors")))
                .isEqualTo(Path.of("../../blobs", HubStub.sha256(WEIGHTS)));
        // as `git hash-object` says of a file with {} and a line end
        assertThat(Files.readSymbolicLink(snapshot.resolve("config.json")))
                .isEqualTo(Path.of("../../blobs/0967ef424bce6791893e9a57bb952f80fd536e93"));
        assertThat(new ModelHub(options()).find(TINY)).isEqualTo(snapshot);
        assertThat(notes).containsExactly("begin 2 " + (WEIGHTS.length + 3) + " 0");
    }

    @Test
    void asksForWhatIsMissingOnly() throws IOException {
        pull();
        stub.forget();
        Path snapshot = pull();
        assertThat(stub.requests())
                .extracting(HubStub.Request::path)
                .containsExactly("/api/models/org/tiny/revision/main");
        Files.delete(blob());
        assertWhole(pull());
        assertThat(ranges()).containsExactly("all");
        assertThat(snapshot).isDirectory();
    }

    @Test
    void aNewCommitSharesWhatDidNotChange() {
        Path old = pull();
        stub.commit("f".repeat(40));
        stub.small("config.json", "{\"a\": 1}\n");
        stub.forget();
        Path now = pull();
        assertThat(now).isNotEqualTo(old);
        assertThat(now.resolve("config.json")).hasContent("{\"a\": 1}\n");
        assertThat(old.resolve("config.json")).hasContent("{}\n");
        assertThat(ranges()).isEmpty();
        assertThat(new ModelHub(options()).find(TINY)).isEqualTo(now);
        assertThat(new ModelHub(options()).find(ModelReference.parse("org/tiny@" + HubStub.COMMIT)))
                .isEqualTo(old);
    }

    @Test
    void revisionsAreBranchesTagsAndCommits() throws IOException {
        ModelHub hub = new ModelHub(options());
        Path request = hub.pull(ModelReference.parse("org/tiny@refs/pr/1"), List.of(), noted);
        assertThat(stub.requests().getFirst().path()).isEqualTo("/api/models/org/tiny/revision/refs%2Fpr%2F1");
        assertThat(folder().resolve("refs/refs/pr/1")).hasContent(HubStub.COMMIT);
        assertThat(hub.pull(ModelReference.parse("org/tiny@" + HubStub.COMMIT), List.of(), noted))
                .isEqualTo(request);
        assertThat(filesBelow(folder().resolve("refs"))).containsExactly("refs/pr/1");
        assertThat(hub.find(TINY)).isNull();
    }

    @Test
    void patternsChooseFilesInFoldersToo() throws IOException {
        stub.small("onnx/a b.json", "[]").small("notes.txt", "n");
        Path snapshot = pull(options(), "*.json", "notes.t?t");
        assertThat(filesBelow(folder().resolve("blobs"))).hasSize(3);
        assertThat(snapshot.resolve("onnx/a b.json")).hasContent("[]");
        assertThat(Files.readSymbolicLink(snapshot.resolve("onnx/a b.json")).toString())
                .startsWith("../../../blobs/");
        assertThat(stub.requests())
                .extracting(HubStub.Request::path)
                .contains("/org/tiny/resolve/" + HubStub.COMMIT + "/onnx/a%20b.json");
    }

    @Test
    void withoutLinksFilesLieInTheSnapshot() throws IOException {
        stub.small("same.json", "{}\n");
        HubOptions options = options().withLinks(false);
        Path snapshot = pull(options);
        assertWhole(snapshot);
        assertThat(snapshot.resolve("same.json")).hasContent("{}\n");
        assertThat(snapshot.resolve("model.safetensors")).isRegularFile().isNotEmptyFile();
        assertThat(Files.isSymbolicLink(snapshot.resolve("model.safetensors"))).isFalse();
        assertThat(blob()).doesNotExist(); // moved, not doubled
        stub.forget();
        assertThat(pull(options)).isEqualTo(snapshot);
        assertThat(stub.requests()).hasSize(1);
    }

    @Test
    void withoutLinksABlobThatOthersShowIsCopied() {
        Path linked = pull();
        stub.commit("e".repeat(40));
        Path copied = pull(options().withLinks(false));
        assertWhole(copied);
        assertWhole(linked);
    }

    @Test
    void emptyFilesNeedNoRequest() {
        stub.small("empty.txt", "");
        assertThat(pull().resolve("empty.txt")).isEmptyFile();
        assertThat(stub.requests()).noneMatch(request -> request.path().endsWith("empty.txt"));
    }

    @Test
    void asksForSizesAndHashesThatTheListingLacks() {
        stub.listing("{\"sha\":\"" + HubStub.COMMIT
                + "\",\"siblings\":[{\"rfilename\":\"config.json\"},{\"rfilename\":\"model.safetensors\"}]}");
        assertWhole(pull());
        assertThat(stub.requests())
                .filteredOn(request -> request.method().equals("HEAD"))
                .extracting(HubStub.Request::server)
                .containsExactly("hub", "hub"); // where the redirect leads is none of its business
    }

    @Test
    void refusesFilesThatTheDiskHasNoRoomFor() {
        String file = "{\"rfilename\":\"model-%d.safetensors\",\"size\":2199023255552,\"lfs\":{\"sha256\":\"%064d\"}}";
        stub.listing("{\"sha\":\"" + HubStub.COMMIT + "\",\"siblings\":["
                + String.join(",", List.of(file.formatted(1, 1), file.formatted(2, 2), file.formatted(3, 3))) + "]}");
        assertThatThrownBy(this::pull)
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("the files take 6.6 TB, but " + cache)
                .hasMessageContaining("set HF_HUB_CACHE");
        assertThat(stub.requests()).hasSize(1);
    }

    @Test
    void offlineFindsWhatIsThere() {
        HubOptions offline = options().withOffline(true);
        assertThatThrownBy(() -> pull(offline))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("org/tiny is not in " + cache)
                .hasMessageContaining("HF_HUB_OFFLINE");
        Path snapshot = pull();
        stub.forget();
        assertThat(pull(offline)).isEqualTo(snapshot);
        assertThat(pull(offline, "*.safetensors")).isEqualTo(snapshot);
        assertThatThrownBy(() -> pull(offline, "*.gguf")).hasMessageContaining("has no file '*.gguf'");
        assertThat(stub.requests()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"blobs", "snapshots"})
    void aFolderThatCannotBeWrittenIsNamed(String inTheWay) throws IOException {
        Files.createDirectories(folder());
        Files.writeString(folder().resolve(inTheWay), "a file where a folder belongs");
        assertThatThrownBy(this::pull)
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("cannot write " + folder())
                .hasMessageContaining("HF_HUB_CACHE");
    }
}
