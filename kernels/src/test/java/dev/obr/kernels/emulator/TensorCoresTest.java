package dev.obr.kernels.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.obr.kernels.ObrException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Integer products, compared with a reference in Python that was written from the manuals, and with matrices multiplied here. */
class TensorCoresTest {
    private static final Path ORACLES =
            Path.of(System.getProperty("obr.shared", "../../shared")).resolve("oracles");
    private static final int[] KEPT = {0x4, 0x8, 0xc, 0x9, 0xd, 0xe}; // ascending pairs of slots
    private static final int GARBAGE = 0xdeadbeef;

    /** An integer shape of 16 rows. */
    private record Case(boolean sparse, int k, int bits) {
        MmaShape shape(boolean ordered, boolean signedA, boolean signedB, boolean saturating) {
            return MmaShape.of("mma" + (sparse ? ".sp" : "") + (ordered ? "::ordered_metadata" : "")
                    + ".sync.aligned.m16n8k" + k + ".row.col" + (saturating ? ".satfinite" : "") + ".s32."
                    + (signedA ? "s" : "u") + bits + "." + (signedB ? "s" : "u") + bits + ".s32");
        }

        MmaShape signed() {
            return shape(false, true, true, false);
        }
    }

    private static final List<Case> CASES = List.of(
            new Case(false, 64, 4),
            new Case(false, 32, 4),
            new Case(false, 32, 8),
            new Case(false, 16, 8),
            new Case(true, 128, 4),
            new Case(true, 64, 4),
            new Case(true, 64, 8),
            new Case(true, 32, 8));

    static Stream<Case> everyShape() {
        return CASES.stream();
    }

    @Test
    void givesTheStoredVectors() throws IOException {
        Path file = ORACLES.resolve("mma_vectors.json");
        assumeTrue(Files.exists(file), "no " + file + ": the stored vectors are not compared");
        JsonNode records = JsonMapper.shared().readTree(Files.readAllBytes(file));
        assertThat(records.size()).isEqualTo(10);
        for (JsonNode record : records) {
            String[] name =
                    record.path("op").asString().replace("mma.sp", "mma:sp").split("\\.", -1);
            String opcode = name[0].replace(':', '.') + ".sync.aligned." + name[1] + ".row.col.s32." + name[2] + "."
                    + name[2] + ".s32";
            int selector = record.path("f").asInt(0);
            assertThat(Fragments.of(record).times(MmaShape.of(opcode), selector))
                    .as("%s, selector %d", opcode, selector)
                    .isEqualTo(Fragments.registers(record.path("d")));
        }
    }

    /** Random registers of every shape, signedness and selector, wrapped and clamped, with sums that overflow. */
    @Test
    void givesWhatTheReferenceGives() throws Exception {
        assumeTrue(Files.exists(ORACLES.resolve("mma_reference.py")), "no " + ORACLES + ": no reference to ask");
        Random random = new Random(5);
        List<Map<String, Object>> questions = new ArrayList<>();
        List<int[]> answers = new ArrayList<>();
        for (Case kase : CASES) {
            for (int flags = 0; flags < 16; flags++) {
                MmaShape shape = kase.shape(
                        kase.sparse() && (flags & 8) != 0, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
                for (int selector = 0; selector < (kase.sparse() ? shape.selectors() : 1); selector++) {
                    Fragments fragments = random(shape, selector, random);
                    answers.add(fragments.times(shape, selector));
                    questions.add(question(kase, shape, fragments, selector));
                }
            }
        }
        List<JsonNode> reference = ask(questions);
        for (int i = 0; i < answers.size(); i++) {
            assertThat(answers.get(i))
                    .as("%s", questions.get(i).get("name"))
                    .isEqualTo(Fragments.registers(reference.get(i)));
        }
    }

    private static Map<String, Object> question(Case kase, MmaShape shape, Fragments fragments, int selector) {
        Map<String, Object> question = new LinkedHashMap<>();
        question.put("name", "mma_" + (kase.sparse() ? "sp_" : "") + "m16n8k" + kase.k() + "_s" + kase.bits());
        question.put(
                "operands",
                List.of(
                        Fragments.lanes(fragments.a()),
                        Fragments.lanes(fragments.b()),
                        Fragments.lanes(fragments.c())));
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("sa", shape.a().signed());
        options.put("sb", shape.b().signed());
        options.put("satfinite", shape.saturating());
        if (kase.sparse()) {
            options.put(
                    "e",
                    Fragments.lanes(fragments.metadata()).stream()
                            .map(List::getFirst)
                            .toList());
            options.put("f", selector);
            options.put("ordered", shape.ordered());
        }
        question.put("options", options);
        return question;
    }

    private static List<JsonNode> ask(List<Map<String, Object>> questions) throws Exception {
        String driver = """
                import json, sys
                sys.path.insert(0, sys.argv[1])
                sys.dont_write_bytecode = True
                import mma_reference
                for line in sys.stdin:
                    q = json.loads(line)
                    print(json.dumps(getattr(mma_reference, q["name"])(*q["operands"], **q["options"])), flush=True)
                """;
        Process python;
        try {
            python = new ProcessBuilder("python3", "-c", driver, ORACLES.toString())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "no python3 to run the reference: " + e.getMessage());
            throw e;
        }
        List<JsonNode> answers = new ArrayList<>();
        try (Writer in = python.outputWriter(StandardCharsets.UTF_8);
                BufferedReader out = python.inputReader(StandardCharsets.UTF_8)) {
            for (Map<String, Object> question : questions) {
                in.write(JsonMapper.shared().writeValueAsString(question) + "\n");
                in.flush();
                answers.add(JsonMapper.shared().readTree(out.readLine()));
            }
        }
        assertThat(python.waitFor()).isZero();
        return answers;
    }

    /** Registers full of anything; metadata legal where it counts and garbage elsewhere; C close to both ends in some lanes. */
    private static Fragments random(MmaShape shape, int selector, Random random) {
        int[] a = random.ints(32L * shape.aRegisters()).toArray();
        int[] b = random.ints(32L * shape.bRegisters()).toArray();
        int[] c = random.ints(32L * shape.cRegisters()).toArray();
        for (int i = 0; i < c.length; i += 3) {
            c[i] = (i % 2 == 0 ? Integer.MAX_VALUE : Integer.MIN_VALUE) + random.nextInt(100) - 50;
        }
        int[] metadata = new int[32];
        for (int lane = 0; lane < 32; lane++) {
            boolean counts = shape.selectors() == 1 || (lane & 3) >> 1 == selector;
            metadata[lane] = counts ? word(random, shape.ordered()) : GARBAGE;
        }
        return new Fragments(a, b, c, metadata);
    }

    private static int word(Random random, boolean ordered) {
        int word = 0;
        for (int chunk = 0; chunk < 8; chunk++) {
            int nibble = KEPT[random.nextInt(KEPT.length)];
            boolean swap = !ordered && random.nextBoolean();
            word = word << 4 | (swap ? (nibble & 3) << 2 | nibble >> 2 : nibble);
        }
        return word;
    }

    /** The design notes' worked example: rows 0 and 9 of A alone are filled, B[k][n] = (k + n) % 7 - 3. */
    @Test
    void givesTheWorkedSparseExample() {
        Fragments fragments = new Fragments(
                lanes(4, "21765432 0 65432176 0, 32176543 0 76543217 0, 43217654 0 17654321 0, 54321765 0 21765432 0"),
                lanes(
                        4,
                        "d3210fed 10fed321 ed3210fe 210fed32, ed3210fe 210fed32 fed3210f 3210fed3, "
                                + "fed3210f 3210fed3 0fed3210 d3210fed, 0fed3210 d3210fed 10fed321 ed3210fe"),
                new int[128],
                lanes(1, "84ed9c84, eeeeeeee, 9c84ed9c, eeeeeeee"));
        for (int lane = 4; lane < 32; lane++) {
            fragments.metadata()[lane] = 0x44444444;
            for (int r = 0; r < 4; r++) { // column g of B begins one number further in the cycle of 7
                fragments.b()[32 * r + lane] = nibbles(16 * (lane & 3) / 2 + 32 * r, lane >> 2);
            }
        }
        for (int lane = 0; lane < 4; lane++) { // and the rule gives the stored registers of column 0
            for (int r = 0; r < 4; r++) {
                assertThat(nibbles(8 * lane + 32 * r, 0)).isEqualTo(fragments.b()[32 * r + lane]);
            }
        }
        int[] d = fragments.times(new Case(true, 128, 4).signed(), 0);
        int[][] expected = {{-63, -26, 0, 0}, {18, 48, 0, 0}, {29, 31, 0, 0}, {-37, -63, 0, 0}};
        for (int lane = 0; lane < 4; lane++) {
            assertThat(new int[] {d[lane], d[32 + lane], d[64 + lane], d[96 + lane]})
                    .isEqualTo(expected[lane]);
        }
    }

    /** Eight nibbles of the example's B from row k on. */
    private static int nibbles(int k, int column) {
        int register = 0;
        for (int i = 7; i >= 0; i--) {
            register = register << 4 | ((k + i + column) % 7 - 3 & 15);
        }
        return register;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "4|64|0fedcba9 a9765432 210fedcb cba97654|0fedcba9 210fedcb|1246 422 -572 -604",
                "8|32|fcfbfaf9 05040302 fdfcfbfa 06050403|fcfbfaf9 fdfcfbfa|645 229 -282 -302"
            })
    void givesTheWorkedDenseExamples(int bits, int k, String a0, String b0, String d0) {
        int n = 32 / bits;
        int[] a = new int[128];
        int[] b = new int[64];
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < n; i++) {
                int column = n * (lane & 3) + i;
                for (int r = 0; r < 4; r++) {
                    int row = (lane >> 2) + 8 * (r & 1);
                    int value = (3 * row + column + 4 * n * (r >> 1)) % 15 - 7;
                    a[32 * r + lane] |= (value & (1 << bits) - 1) << bits * i;
                }
                for (int r = 0; r < 2; r++) {
                    int value = (column + 4 * n * r + 2 * (lane >> 2)) % 15 - 7;
                    b[32 * r + lane] |= (value & (1 << bits) - 1) << bits * i;
                }
            }
        }
        assertThat(lane(a, 0)).isEqualTo(a0);
        assertThat(lane(b, 0)).isEqualTo(b0);
        int[] d = new Fragments(a, b, new int[128], new int[32]).times(new Case(false, k, bits).signed(), 0);
        assertThat(d[0] + " " + d[32] + " " + d[64] + " " + d[96]).isEqualTo(d0);
    }

    private static String lane(int[] registers, int lane) {
        List<String> texts = new ArrayList<>();
        for (int r = 0; r < registers.length / 32; r++) {
            texts.add(String.format("%08x", registers[32 * r + lane]));
        }
        return String.join(" ", texts);
    }

    /** The first lanes' registers in hexadecimal, the others 0. */
    private static int[] lanes(int count, String texts) {
        int[] registers = new int[32 * count];
        String[] lanes = texts.split(", ", -1);
        for (int lane = 0; lane < lanes.length; lane++) {
            String[] values = lanes[lane].split(" ", -1);
            for (int r = 0; r < count; r++) {
                registers[32 * r + lane] = Integer.parseUnsignedInt(values[r], 16);
            }
        }
        return registers;
    }

    /** What Hopper's weights rest on: nibbles multiply as the even ones' bytes plus the odd ones', under the same metadata. */
    @ParameterizedTest
    @ValueSource(ints = {1, 16})
    void nibblesAreTwoProductsOfBytes(int scale) {
        MmaShape nibbles = new Case(true, 128, 4).signed();
        MmaShape bytes = new Case(true, 64, 8).signed();
        Random random = new Random(9);
        Fragments given = random(nibbles, 0, random);
        Arrays.fill(given.c(), 0);
        int[] expected = given.times(nibbles, 0);
        int[] sum = new int[128];
        for (int odd = 0; odd < 2; odd++) {
            int[] a = scale == 1 ? widened(given.a(), odd) : sixteenfold(given.a(), odd);
            sum = new Fragments(a, widened(given.b(), odd), sum, given.metadata()).times(bytes, 0);
        }
        for (int i = 0; i < sum.length; i++) {
            assertThat(sum[i]).isEqualTo(scale * expected[i]);
        }
    }

    private static int[] widened(int[] registers, int odd) {
        return Arrays.stream(registers)
                .map(register -> {
                    int bytes = 0;
                    for (int i = 3; i >= 0; i--) {
                        bytes = bytes << 8 | (register << 28 - 8 * i - 4 * odd >> 28) & 0xff;
                    }
                    return bytes;
                })
                .toArray();
    }

    private static int[] sixteenfold(int[] registers, int odd) {
        return Arrays.stream(registers)
                .map(register -> (odd == 0 ? register << 4 : register) & 0xf0f0f0f0)
                .toArray();
    }

    /** The forms of eight rows, against a matrix product: row g, column n t + i in A; row n t + i, column g in B; row g, columns 2t and 2t + 1 in C. */
    @ParameterizedTest
    @CsvSource({"s4, s4", "u4, s4", "s4, u4", "u4, u4", "s8, s8", "u8, s8", "s8, u8", "u8, u8"})
    void multipliesEightRows(String typeA, String typeB) {
        int bits = typeA.charAt(1) - '0';
        int n = 32 / bits;
        int k = 4 * n;
        Random random = new Random(k);
        int[][] a = new int[8][k];
        int[][] b = new int[k][8];
        int[] registersA = new int[32];
        int[] registersB = new int[32];
        int[] c = random.ints(64).toArray();
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < n; i++) {
                int column = n * (lane & 3) + i;
                int low = typeA.charAt(0) == 's' ? -(1 << bits - 1) : 0;
                a[lane >> 2][column] = random.nextInt(low, low + (1 << bits));
                registersA[lane] |= (a[lane >> 2][column] & (1 << bits) - 1) << bits * i;
                low = typeB.charAt(0) == 's' ? -(1 << bits - 1) : 0;
                b[column][lane >> 2] = random.nextInt(low, low + (1 << bits));
                registersB[lane] |= (b[column][lane >> 2] & (1 << bits) - 1) << bits * i;
            }
        }
        MmaShape shape = MmaShape.of("mma.sync.aligned.m8n8k" + k + ".row.col.s32." + typeA + "." + typeB + ".s32");
        int[] d = new Fragments(registersA, registersB, c, new int[0]).times(shape, 0);
        for (int lane = 0; lane < 32; lane++) {
            for (int r = 0; r < 2; r++) {
                int sum = c[32 * r + lane];
                for (int i = 0; i < k; i++) {
                    sum += a[lane >> 2][i] * b[i][2 * (lane & 3) + r];
                }
                assertThat(d[32 * r + lane]).isEqualTo(sum);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everyShape")
    void theResultMayOverwriteTheAddend(Case kase) {
        MmaShape shape = kase.signed();
        Fragments fragments = random(shape, 0, new Random(3));
        int[] expected = fragments.times(shape, 0);
        TensorCores.multiply(
                shape, fragments.a(), fragments.b(), fragments.c(), fragments.metadata(), 0, fragments.c());
        assertThat(fragments.c()).isEqualTo(expected);
    }

    /** Each wrong nibble in each lane is found where it counts, and only there. */
    @ParameterizedTest
    @CsvSource({"128, 4, 0", "64, 4, 0", "64, 4, 1", "64, 8, 0", "32, 8, 0", "32, 8, 1"})
    void refusesIllegalMetadata(int k, int bits, int selector) {
        Case kase = new Case(true, k, bits);
        for (int nibble = 0; nibble < 16; nibble++) {
            for (boolean ordered : new boolean[] {false, true}) {
                MmaShape shape = kase.shape(ordered, true, true, false);
                int first = nibble & 3;
                int second = nibble >> 2;
                boolean legal = ordered ? first < second : first != second;
                for (int lane = 0; lane < 32; lane++) {
                    Fragments fragments = random(shape, selector, new Random(1));
                    int chunk = (lane + nibble) % 8;
                    fragments.metadata()[lane] = fragments.metadata()[lane] & ~(15 << 4 * chunk) | nibble << 4 * chunk;
                    boolean counts = shape.selectors() == 1 || (lane & 3) >> 1 == selector;
                    if (legal || !counts) {
                        assertThat(fragments.times(shape, selector)).hasSize(128);
                    } else {
                        assertThatThrownBy(() -> fragments.times(shape, selector))
                                .isInstanceOf(ObrException.class)
                                .hasMessageContaining("metadata 0x" + Integer.toHexString(nibble))
                                .hasMessageContaining("chunk " + chunk + " of lane " + lane + "'s");
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"128, 4, 1", "64, 8, 1", "64, 4, 2", "32, 8, -1"})
    void refusesSelectorsThatTheShapeHasNot(int k, int bits, int selector) {
        MmaShape shape = new Case(true, k, bits).signed();
        Fragments fragments = random(shape, 0, new Random(2));
        assertThatThrownBy(() -> fragments.times(shape, selector))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("selector")
                .hasMessageContaining("is " + selector);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mma.sync.aligned.m16n8k128.row.col.s32.s4.s4.s32",
                "mma.sp.sync.aligned.m16n8k32.row.col.s32.s4.s4.s32",
                "mma.sync.aligned.m16n8k32.row.col.s32.s8.s4.s32",
                "mma.sync.aligned.m16n8k32.row.row.s32.s8.s8.s32",
                "mma.sync.m16n8k32.row.col.s32.s8.s8.s32",
                "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f16",
                "mma.sync.aligned.m16n8k16.row.col.bf16.bf16.bf16.bf16",
                "mma.sync.aligned.m16n8k16.row.col.satfinite.f32.f16.f16.f32",
                "mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32",
                "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32",
                "mma.sync.aligned.m8n8k4.row.col.f16.f16.f16.f16",
                "mma.sync.aligned.m16n8k0.row.col.s32.s8.s8.s32",
                "mma.sync.aligned.m16n8k32.row.col.s32.s32.s32.s32",
                "mma.sp.sync.aligned.m8n8k32.row.col.s32.s8.s8.s32",
                "mma"
            })
    void namesTheOpcodeThatItDoesNotKnow(String opcode) {
        assertThatThrownBy(() -> MmaShape.of(opcode))
                .isInstanceOf(ObrException.class)
                .hasMessageContaining("know no " + opcode + ":");
    }

    @Test
    void aShapeSaysItsName() {
        assertThat(MmaShape.of("mma.sp::ordered_metadata.sync.aligned.m16n8k128.row.col.satfinite.s32.u4.s4.s32"))
                .hasToString("mma.sp.m16n8k128.u4.s4.s32")
                .isEqualTo(new MmaShape(
                        true, true, 16, 128, MmaShape.Element.U4, MmaShape.Element.S4, MmaShape.Element.S32, true));
    }
}
