package dev.obr.bench.quality;

import dev.obr.bench.results.ResultRow;
import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32C;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The folder in which a comparison keeps what it has done, so that it goes on where it was stopped.
 *
 * <pre>
 *   NAME/                the compressed model
 *   NAME.json            the seconds that it took
 *   NAME-A8KV4.json      its plan and what was measured
 * </pre>
 */
public final class QualityWork {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path folder;

    /**
     * @param parent of a folder for each plan of compression, which is made where it is not there
     * @param plan of which models and measurements are kept
     */
    public QualityWork(Path parent, QualityPlan plan) {
        CRC32C name = new CRC32C();
        name.update(plan.compression().getBytes(StandardCharsets.UTF_8));
        this.folder = parent.resolve(String.format(Locale.ROOT, "%08x", name.getValue()));
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ObrException(
                    "cannot make the folder " + folder + " (" + e.getMessage() + "): choose another with --work");
        }
    }

    /** A compressed model, with its plan for people. */
    record Compression(String plan, double seconds) {}

    /** What was measured of it. */
    record Measured(String plan, ResultRow row) {}

    /** Where a case's model lies. */
    Path model(QualityCase which) {
        return folder.resolve(which.name());
    }

    /** Seconds that its compression took, where it is there. */
    Optional<Double> seconds(QualityCase which) {
        return Files.exists(model(which).resolve("config.json"))
                ? read(which.name(), Compression.class).map(Compression::seconds)
                : Optional.empty();
    }

    void compressed(QualityCase which, String plan, double seconds) {
        write(which.name(), new Compression(plan, seconds));
    }

    Optional<ResultRow> measured(String name, String plan) {
        return read(name, Measured.class)
                .filter(kept -> kept.plan().equals(plan))
                .map(Measured::row);
    }

    void measured(String name, String plan, ResultRow row) {
        write(name, new Measured(plan, row));
    }

    /** Nothing where there is no such file, or one that this program did not write. */
    private <T> Optional<T> read(String name, Class<T> type) {
        Path file = folder.resolve(name + ".json");
        try {
            return Files.exists(file) ? Optional.of(JSON.readValue(Files.readString(file), type)) : Optional.empty();
        } catch (JacksonException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new ObrException("cannot read " + file + " (" + e.getMessage() + "): delete it to measure anew");
        }
    }

    private void write(String name, Object value) {
        Path file = folder.resolve(name + ".json");
        Path partial = folder.resolve(name + ".json.partial");
        try {
            Files.writeString(partial, JSON.writeValueAsString(value));
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new ObrException("cannot write " + file + " (" + e.getMessage() + "): choose another --work");
        }
    }
}
