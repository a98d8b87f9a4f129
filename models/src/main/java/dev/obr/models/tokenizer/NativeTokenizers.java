package dev.obr.models.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.obr.kernels.HostSettings;
import dev.obr.kernels.ObrException;
import dev.obr.kernels.cpu.LibraryFile;
import dev.obr.kernels.cpu.MemoryFile;
import dev.obr.kernels.cpu.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The native tokenizers library in DJL's jar, loaded once.
 *
 * <p>DJL's own loader looks for CUDA and can reach the network, so the file is extracted here instead, as a {@link LibraryFile} in the first of
 * {@link NativeLibrary#cacheFolders} that works. Its name holds its checksum. Where no folder works, or another class loader has loaded that file, a {@link MemoryFile} serves.
 */
final class NativeTokenizers {
    /** The JVM's words where a second class loader loads a file that the first has loaded. */
    private static final String OTHER_LOADER = "already loaded in another classloader";

    private NativeTokenizers() {}

    /** The library's functions. */
    static TokenizersLibrary library() {
        if (!Holder.FAILURE.isEmpty()) {
            throw new ObrException(Holder.FAILURE);
        }
        return TokenizersLibrary.LIB;
    }

    private static final class Holder {
        /** Why the library can't be used; empty where it can. */
        private static final String FAILURE = load();
    }

    private static String load() {
        HostSettings.keepDjlOffline(); // before any of its code runs
        String file = System.mapLibraryName("tokenizers");
        String resource = "/native/lib/" + platform() + "/cpu/" + file;
        URL packed = TokenizersLibrary.class.getResource(resource);
        if (packed == null) {
            return "tokenizer.json can't be read on " + platform()
                    + ": the tokenizers library has no build for it; use a GGUF" + " file of the model";
        }
        List<String> tried = new ArrayList<>();
        for (Path folder : NativeLibrary.cacheFolders(HostSettings.environment())) {
            try {
                String name = "%08x-%s".formatted(LibraryFile.checksum(packed), file);
                System.load(LibraryFile.place(packed, folder, name).toString());
                return "";
            } catch (IOException | UnsupportedOperationException | UnsatisfiedLinkError | IllegalCallerException e) {
                tried.add(folder + " (" + e + ")");
                if (String.valueOf(e.getMessage()).contains(OTHER_LOADER)) {
                    break; // a copy in another folder would load, but stay
                }
            }
        }
        try (InputStream content = packed.openStream()) {
            System.load(MemoryFile.of(content.readAllBytes(), file).toString());
            return "";
        } catch (IOException | UnsatisfiedLinkError | IllegalCallerException e) {
            tried.add("memory (" + e + ")");
        }
        return "The native tokenizers library can't be loaded; tried " + String.join(", ", tried)
                + "; set OBR_CACHE to a folder that can be written to and run from";
    }

    private static String platform() {
        String os = HostSettings.osName().toLowerCase(Locale.ROOT);
        String arch = HostSettings.osArch();
        return (os.startsWith("windows") ? "win" : os.startsWith("mac") ? "osx" : "linux")
                + (arch.equals("amd64") || arch.equals("x86_64") ? "-x86_64" : "-" + arch);
    }
}
