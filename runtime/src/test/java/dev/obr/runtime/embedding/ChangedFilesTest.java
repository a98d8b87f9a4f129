package dev.obr.runtime.embedding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of an open model when others work on its folder. */
@DisabledOnOs(OS.WINDOWS) // which lets nobody touch a mapped file
class ChangedFilesTest {
    @TempDir
    Path folder;

    private Path weights;

    @BeforeEach
    void copy() throws IOException {
        try (Stream<Path> files = Files.list(Stories.MODEL)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        weights = folder.resolve("model.safetensors");
    }

    private LanguageModel open() {
        return LanguageModel.open(folder, RuntimeOptions.defaults());
    }

    @Test
    void aDeletedFolderStaysWithWhoHasItOpen() throws IOException {
        try (LanguageModel model = open()) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            assertThat(Stories.tell(model)).isEqualTo(Stories.TEXT);
        }
    }

    @Test
    void aFileReplacedByRenamingIsNotSeen() throws IOException {
        try (LanguageModel model = open()) {
            Path other = Files.write(folder.resolve("other"), new byte[1000]);
            Files.move(other, weights, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            assertThat(Stories.tell(model)).isEqualTo(Stories.TEXT);
        }
    }

    /** Reading on would end the process: what is mapped behind the end of a file cannot be touched. */
    @Test
    void aFileThatIsCutOffEndsInASentence() throws IOException {
        try (LanguageModel model = open()) {
            try (FileChannel channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
                channel.truncate(4096);
            }
            assertThatThrownBy(() -> Stories.tell(model))
                    .isInstanceOf(ObrException.class)
                    .hasMessageContaining(weights + " was written to while its model was open")
                    .hasMessageContaining("now 4096 of")
                    .hasMessageContaining("replace files by renaming");
        }
    }

    @Test
    void soDoesOneThatIsWrittenOver() throws IOException {
        for (Path opened : List.of(folder, weights)) {
            try (LanguageModel model = LanguageModel.open(opened, RuntimeOptions.defaults())) {
                Files.write(weights, new byte[] {0}, StandardOpenOption.APPEND);
                assertThatThrownBy(() -> Stories.tell(model)).isInstanceOf(ObrException.class);
            }
            Files.copy(Stories.MODEL.resolve("model.safetensors"), weights, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
