package dev.obr.kernels.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.obr.kernels.ObrException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaDriverTest {
    @Test
    void aMissingDriverIsOneSentence() {
        assertThatThrownBy(() -> CudaDriver.find("linux-x86_64", "libnosuchdriver.so.1"))
                .isInstanceOf(ObrException.class)
                .hasMessage("no NVIDIA driver (libnosuchdriver.so.1 cannot be loaded)");
    }

    @Test
    void otherPlatformsAreNamed() {
        assertThatThrownBy(() -> CudaDriver.find("macos-aarch64", CudaDriver.LIBRARY))
                .isInstanceOf(ObrException.class)
                .hasMessage("GPUs are used on linux-x86_64 only, this is macos-aarch64");
    }

    @Test
    void whatIsNoDriverIsSaid() {
        assertThatThrownBy(() -> CudaDriver.find("linux-x86_64", "libc.so.6"))
                .isInstanceOf(ObrException.class)
                .hasMessage("the NVIDIA driver has no cuInit: it is broken, install it anew");
    }

    @Test
    void aMissingLibraryIsOneSentence() {
        CudaLibraries.Library missing = new CudaLibraries.Library("cuBLAS 12", "libnosuchblas.so.12");
        assertThatThrownBy(() -> CudaLibraries.open(missing, CudaLibraries.FOLDERS))
                .isInstanceOf(ObrException.class)
                .hasMessage(
                        "cuBLAS 12 is missing (libnosuchblas.so.12 cannot be loaded): compressing on the GPU takes the CUDA 12 toolkit's libraries, installed or in LD_LIBRARY_PATH; running models on it takes the driver alone");
        CudaLibraries.Library compared =
                new CudaLibraries.Library("cuSPARSE 12", "libnosuchsparse.so.12", "being compared with it");
        assertThatThrownBy(() -> CudaLibraries.open(compared, CudaLibraries.FOLDERS))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith(
                        "cuSPARSE 12 is missing (libnosuchsparse.so.12 cannot be loaded): being compared with it takes the CUDA 12 toolkit's");
    }

    /** The toolkit's folder is seldom on the loader's path. */
    @Test
    void librariesAreFoundWhereTheToolkitPutsThem(@TempDir Path folder) throws IOException {
        CudaLibraries.Library library = new CudaLibraries.Library("cuBLAS 12", "libelsewhere.so.12");
        Path there = Path.of("/lib/x86_64-linux-gnu/libz.so.1");
        Assumptions.assumeTrue(Files.exists(there), "no library to put elsewhere: " + there);
        Files.copy(there, folder.resolve(library.file()));
        CudaLibraries.open(library, List.of(folder.resolve("nothing"), folder));
    }

    @Test
    void signaturesAreReadFromPtx() {
        String ptx = """
                // .entry commented(.param .u64 x)
                .visible .entry first(
                    .param .u64 .ptr .global .align 16 first_0, /* .param .u32 no */
                    .param .f32 first_1,
                    .param .align 8 .b8 first_2[24]
                )
                .maxntid 128, 1, 1
                { .reg .b32 %r<2>; ret; }
                .entry second { ret; }
                .weak .entry _Z5thirdPKv(.param .u16 a,.param .s32 b) { ret; }
                .visible .func helper(.param .b32 x) { ret; }
                """;
        assertThat(PtxEntries.of(ptx))
                .containsExactly(
                        Map.entry("first", List.of(8, 4, 24)),
                        Map.entry("second", List.of()),
                        Map.entry("_Z5thirdPKv", List.of(2, 4)));
    }
}
