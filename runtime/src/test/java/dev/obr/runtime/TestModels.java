package dev.obr.runtime;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.obr.kernels.cpu.CpuKernelsProvider;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the tests' models lie. */
final class TestModels {
    private TestModels() {}

    /** A small model among the test resources. */
    static Path resource(String name) {
        return Path.of("src/test/resources/models", name);
    }

    /** A larger file beside the checkout; the test that asks is skipped where it is missing. */
    static Path shared(String name) {
        Path path = Path.of(System.getProperty("obr.shared", "../shared"), name);
        assumeTrue(Files.exists(path), "needs " + name + " in the shared folder beside the checkout");
        return path;
    }

    /** Skips a test of the native kernels where none were built or none suits this CPU. */
    static void assumeTwin(String twin) {
        if (twin.equals("native")) {
            CpuKernelsProvider.Choice choice = CpuKernelsProvider.choose("auto", System.getenv());
            assumeTrue(choice.kernels().name().equals("native"), choice.reason());
        }
    }
}
