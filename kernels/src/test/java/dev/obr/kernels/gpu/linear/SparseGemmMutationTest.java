package dev.obr.kernels.gpu.linear;

import static dev.obr.kernels.packed.Pattern.PAIRS_4_OF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.obr.kernels.emulator.EmulationException;
import dev.obr.kernels.emulator.Schedule;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.KernelModule;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A kernel with one thing wrong does not pass: the emulator stops it, or its results differ. */
class SparseGemmMutationTest {
    private static final SparseGemm.Tile TILE = SparseGemm.Tile.MEDIUM;

    /** 5 steps: the last one's stage is the first, where the transposed tile begins. */
    private static final GemmCase CASE = GemmCase.random(PAIRS_4_OF_8, TokenLayout.INT4, 128, 640, 32, false, false);

    enum Mutation {
        WITHOUT_THE_LOOPS_BARRIER(ptx -> withoutBarrier(ptx, 0)),
        WITHOUT_THE_BARRIER_BEFORE_STAGES_BECOME_THE_TRANSPOSED_TILE(ptx -> withoutBarrier(ptx, 1)),
        WITHOUT_THE_BARRIER_BEFORE_THE_TRANSPOSED_TILE_IS_READ(ptx -> withoutBarrier(ptx, 4)),
        WITH_ONE_MORE_COPY_UNDER_WAY(ptx -> ptx.replace("cp.async.wait_group 2;", "cp.async.wait_group 3;")),
        WITH_THE_NEIGHBOURING_LANES_METADATA(ptx -> Pattern.compile("ld\\.shared\\.u32 (%r\\d+), \\[[^]]*];")
                .matcher(ptx)
                .replaceAll("$0 shfl.sync.bfly.b32 $1, $1, 1, 31, -1;")),
        WITH_THE_WEIGHTS_OF_ROWS_8_APART_EXCHANGED(
                ptx -> Pattern.compile("(mma\\.sp\\S* \\{[^}]*}, )\\{(%r\\d+), (%r\\d+), (%r\\d+), (%r\\d+)}")
                        .matcher(ptx)
                        .replaceAll("$1{$3, $2, $5, $4}"));

        private final UnaryOperator<String> edit;

        Mutation(UnaryOperator<String> edit) {
            this.edit = edit;
        }

        /** Without the n-th barrier of the tile's entry. */
        private static String withoutBarrier(String ptx, int n) {
            int entry = ptx.indexOf(".entry " + TILE.kernel(FragmentOrder.PAIRS, TokenLayout.INT4) + "(");
            List<MatchResult> barriers = Pattern.compile("bar\\.sync\\s+0;")
                    .matcher(ptx)
                    .results()
                    .filter(barrier -> barrier.start() > entry)
                    .toList();
            return ptx.substring(0, barriers.get(n).start())
                    + ptx.substring(barriers.get(n).end());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWrongKernelIsFound(Mutation mutation) {
        String ptx = KernelModule.SPGEMM_S4.ptx();
        String wrong = mutation.edit.apply(ptx);
        assertThat(wrong).isNotEqualTo(ptx);
        assertThat(passes(wrong)).isFalse();
    }

    @Test
    void theKernelAsItIsPasses() {
        assertThat(passes(KernelModule.SPGEMM_S4.ptx())).isTrue();
    }

    /** Of the blocks that share K: the barrier behind which all know whether theirs is the last, the count of those that came, the zeros that the next launch begins with. */
    @ParameterizedTest
    @CsvSource({
        "3, '', ''",
        "-1, 'atom\\.global\\.add\\.u32 \\t(%r\\d+), (\\S+), 1;', 'atom.global.add.u32 $1, $2, 2;'",
        "-1, '(ld\\.global\\.cg\\.s32 [^;]*;\\s+)st\\.global\\.u32[^;]*;', '$1'",
    })
    void aWrongSumOfSharedColumnsIsFound(int barrier, String written, String instead) {
        String ptx = KernelModule.SPGEMM_S4.ptx();
        String wrong = barrier < 0 ? ptx.replaceAll(written, instead) : Mutation.withoutBarrier(ptx, barrier);
        assertThat(wrong).isNotEqualTo(ptx);
        assertThat(passes(CASE, TILE, 2, ptx)).isTrue();
        assertThat(passes(CASE, TILE, 2, wrong)).isFalse();
    }

    /** The variants' own steps, in the module of each. A barrier of a warp less is not found: its lanes run in step. */
    @ParameterizedTest
    @CsvSource({
        // pattern, tile, what is written, what instead
        "TWO_OF_FOUR,  MEDIUM, 'ld\\.shared\\.v2\\.u32 \\{(%r\\d+), (%r\\d+)}', 'ld.shared.v2.u32 {$2, $1}'",
        "TWO_OF_FOUR,  MEDIUM, ', 20800;', ', 29538;'",
        "DENSE,        MEDIUM, ', -252645136;', ', 252645135;'",
        "UNSTRUCTURED, VECTOR, 'ld\\.shared\\.v2\\.u32 \\{(%r\\d+), (%r\\d+)}', 'ld.shared.v2.u32 {$2, $1}'",
        "UNSTRUCTURED, VECTOR, 'cp\\.async\\.wait_group 2;', 'cp.async.wait_group 3;'",
        "UNSTRUCTURED, VECTOR, 'bar\\.sync\\s+0;', ''",
    })
    void aWrongVariantIsFound(
            dev.obr.kernels.packed.Pattern pattern, SparseGemm.Tile tile, String written, String instead) {
        GemmCase gemm = GemmCase.random(pattern, TokenLayout.INT8, 16, 8192, 3, false, false);
        String ptx = FragmentOrder.of(pattern).module(TokenLayout.INT8).ptx();
        String wrong = ptx.replaceAll(written, instead);
        assertThat(wrong).isNotEqualTo(ptx);
        assertThat(passes(gemm, tile, 1, ptx)).isTrue();
        assertThat(passes(gemm, tile, 1, wrong)).isFalse();
    }

    private static boolean passes(String ptx) {
        return passes(CASE, TILE, 1, ptx);
    }

    private static boolean passes(GemmCase gemmCase, SparseGemm.Tile tile, int splits, String ptx) {
        try (DeviceRun run = new DeviceRun(ComputeCapability.SM_80, Schedule.ROUND_ROBIN);
                SparseGemm gemm = new SparseGemm(
                        run.device(),
                        gemmCase.weight().pattern(),
                        gemmCase.layout(),
                        run.device().load("mutant.ptx", ptx))) {
            short[] expected = gemmCase.twin();
            return Arrays.equals(gemmCase.run(run, tile, splits, gemm), expected)
                    && (splits == 1 || Arrays.equals(gemmCase.run(run, tile, splits, gemm), expected));
        } catch (EmulationException found) {
            return false;
        }
    }
}
