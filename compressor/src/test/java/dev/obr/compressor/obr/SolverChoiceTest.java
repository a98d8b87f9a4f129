package dev.obr.compressor.obr;

import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.linalg.JavaLinearAlgebra;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SolverChoiceTest {
    private static final JavaLinearAlgebra HOST = new JavaLinearAlgebra();

    /** Rows of 4096 outputs; half kept, then a quarter; narrow layers are always exact. */
    @ParameterizedTest
    @CsvSource({
        "AUTO, 2048, 1024, CHOLESKY",
        "AUTO, 4096, 2048, PCG",
        "AUTO, 4096, 1024, CHOLESKY",
        "AUTO, 11008, 5504, PCG",
        "AUTO, 11008, 1100, CHOLESKY",
        "CHOLESKY, 28672, 14336, CHOLESKY",
        "PCG, 64, 32, PCG"
    })
    void theCheaperOneIsTaken(Solver asked, int cols, int kept, Solver expected) {
        SolverChoice choice = SolverChoice.of(asked, 4096, cols, kept, HOST);
        assertThat(choice.solver()).isEqualTo(expected);
        assertThat(choice.note().isEmpty()).isEqualTo(asked != Solver.AUTO || cols <= 2048);
    }

    @Test
    void bothTimesAreSaid() {
        assertThat(SolverChoice.of(Solver.AUTO, 4096, 4096, 2048, HOST).note())
                .isEqualTo("solver pcg: cholesky is modelled to take 198 s, pcg 44.0 s");
    }

    /** On a device factors are cheaper next to products; vectors stay there. Half kept, then a quarter. */
    @ParameterizedTest
    @CsvSource({"4096, 2, true", "8192, 2, true", "28672, 2, true", "4096, 4, false", "8192, 4, true"})
    void whereItPaysOnADevice(int cols, int share, boolean pcg) {
        SolverChoice.Rates rates = SolverChoice.Rates.DEVICE;
        assertThat(rates.pcg(4096, cols) < rates.cholesky(4096, cols / share)).isEqualTo(pcg);
    }
}
