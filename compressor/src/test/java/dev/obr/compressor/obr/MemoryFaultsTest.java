package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.cpu.ThreadTeam;
import dev.obr.kernels.cuda.CudaLinearAlgebra;
import dev.obr.kernels.cuda.StandInAlgebra;
import dev.obr.kernels.cuda.StandInDriver;
import dev.obr.kernels.gpu.OutOfGpuMemoryException;
import dev.obr.kernels.linalg.JavaLinearAlgebra;
import dev.obr.kernels.linalg.Matrix;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whichever allocation of a layer finds no memory: the layer is what it is otherwise, as a batch is tried smaller, or an error says so; nothing is left behind. */
@Tag("stand-in-driver")
class MemoryFaultsTest {
    private static final int ROWS = 6;
    private static final int COLS = 24;
    private static final int ALLOCATIONS = 48;

    @BeforeAll
    static void needsCompiler() {
        String whyNot = StandInDriver.whyNot();
        Assumptions.assumeTrue(whyNot.isEmpty(), whyNot);
    }

    @ParameterizedTest
    @EnumSource(names = {"CHOLESKY", "PCG"})
    void smallerBatchesOrAnError(Solver solver) {
        CompressionOptions options = CompressionOptions.defaults().withSolver(solver);
        byte[] expected = compress(0, options);
        int firstSurvived = Integer.MAX_VALUE;
        int lastRefused = 0;
        for (int failing = 1; failing <= ALLOCATIONS; failing++) {
            try {
                assertThat(compress(failing, options)).isEqualTo(expected);
                firstSurvived = Math.min(firstSurvived, failing);
            } catch (OutOfGpuMemoryException e) {
                assertThat(e).hasMessageContaining("GPU 0 (Stand-in GPU)").hasMessageContaining("memory");
                lastRefused = failing;
            }
            assertThat(StandInDriver.shared().live()).isZero();
        }
        assertThat(firstSurvived).isLessThan(lastRefused);
    }

    /** @param failing the how-manieth allocation, or 0 */
    private static byte[] compress(int failing, CompressionOptions options) {
        Matrix weight = Layers.weight(ROWS, COLS, 5);
        try (ThreadTeam team = new ThreadTeam(1);
                CudaLinearAlgebra algebra = StandInAlgebra.open(new JavaLinearAlgebra(), 64 << 20)) {
            StandInDriver.shared().fail(failing, 0);
            return new LayerCompressor(algebra, team)
                    .compress("layer", weight, Layers.input(COLS, 2), options)
                    .codes();
        }
    }
}
