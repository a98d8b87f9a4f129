package dev.obr.bench.gemm;

import dev.obr.kernels.cpu.CpuInfo;
import dev.obr.kernels.cpu.CpuKernels;
import dev.obr.kernels.cpu.PackedKernels;
import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.linalg.LinearAlgebra;
import dev.obr.kernels.linalg.LinearAlgebras;
import dev.obr.kernels.linalg.OpenBlasLinearAlgebra;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Products on the CPU. */
public final class CpuGemm implements GemmProducts.Factory {
    /** Weights between two uses of one copy: so many times the last cache. */
    private static final int CACHES = 3;

    private static final long USUAL_CACHE = 32L << 20;

    private final CpuKernels kernels;
    private final @Nullable LinearAlgebra blas;
    private final ThreadTeam team;
    private final long rotatedBytes;
    private final List<String> notes = new ArrayList<>();

    /** @param environment where the native library's cache folder is looked up (OBR_CACHE, XDG_CACHE_HOME) */
    public CpuGemm(CpuKernels kernels, ThreadTeam team, Map<String, String> environment) {
        this(
                kernels,
                LinearAlgebras.choose(environment),
                team,
                CACHES * CpuInfo.read().l3Bytes().orElse(USUAL_CACHE));
    }

    CpuGemm(CpuKernels kernels, LinearAlgebras.Choice algebra, ThreadTeam team, long rotatedBytes) {
        this.kernels = kernels;
        this.team = team;
        this.rotatedBytes = rotatedBytes;
        this.blas = algebra.algebra() instanceof OpenBlasLinearAlgebra ? algebra.algebra() : null;
        notes.add(
                "On " + team.threads() + " threads. Dense floats: weights as named, activations and sums of float32 ("
                        + kernels.instructionSet()
                        + "). INT4: activations of 8 bits, coded before the clock starts; sums are exact ("
                        + kernels.packed().reason()
                        + "). Activations of 4 bits are multiplied as bytes, too, and take as long. Weights count as these kernels lay them out, which may be more than in the file.");
        if (blas == null) {
            notes.add("OpenBLAS is not compared with: " + algebra.why() + ".");
        } else {
            notes.add("Compared with: " + algebra.why() + ".");
        }
        PackedKernels packed = kernels.packed().kernels();
        if (packed == null) {
            notes.add("INT4 weights are left out: " + kernels.packed().reason() + ".");
        }
    }

    @Override
    public GemmProducts open(GemmShape shape) {
        return new CpuProducts(shape, kernels, blas, team, rotatedBytes);
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }
}
