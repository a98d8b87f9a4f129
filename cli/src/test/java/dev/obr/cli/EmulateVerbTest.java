package dev.obr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code emulate}, from file to file. */
class EmulateVerbTest {
    private static final String SAXPY = "../examples/saxpy.ptx";
    private static final int COUNT = 1000;

    private static final String HEAD = ".version 7.8\n.target sm_80\n.address_size 64\n";

    @TempDir
    private Path folder;

    private Path x;
    private Path y;
    private float[] expected;

    @BeforeEach
    void writeOperands() throws IOException {
        Random random = new Random(1);
        ByteBuffer xs = ByteBuffer.allocate(4 * COUNT).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer ys = ByteBuffer.allocate(4 * COUNT).order(ByteOrder.LITTLE_ENDIAN);
        expected = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            float xi = random.nextInt(-50, 50);
            float yi = random.nextInt(-50, 50);
            xs.putFloat(xi);
            ys.putFloat(yi);
            expected[i] = 2.5f * xi + yi;
        }
        x = Files.write(folder.resolve("x.bin"), xs.array());
        y = Files.write(folder.resolve("y.bin"), ys.array());
    }

    private Ran saxpy(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "emulate",
                SAXPY,
                "--kernel",
                "saxpy",
                "--grid",
                "4",
                "--block",
                "256",
                "--arg",
                "i32:" + COUNT,
                "--arg",
                "f32:2.5",
                "--arg",
                "in:" + x,
                "--arg",
                "inout:" + y));
        arguments.addAll(List.of(more));
        return Ran.verb(arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"round-robin", "greedy", "reversed"})
    void runsTheExample(String schedule) throws IOException {
        byte[] before = Files.readAllBytes(x);
        Ran ran = saxpy("--schedule", schedule, "-t", "2");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err()).startsWith("saxpy: 4 blocks of 256 threads, ").hasLineCount(1);
        assertThat(floats(y)).isEqualTo(expected);
        assertThat(Files.readAllBytes(x)).isEqualTo(before);
    }

    private static float[] floats(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    @Test
    void aBufferToWriteBeginsWithZeros() throws IOException {
        Path out = folder.resolve("out.bin");
        Ran ran = Ran.verb(
                "emulate",
                SAXPY,
                "--kernel",
                "saxpy",
                "--grid",
                "1",
                "--block",
                "96",
                "--arg",
                "i32:90",
                "--arg",
                "f32:1",
                "--arg",
                "in:" + x,
                "--arg",
                "out:" + out + ":400",
                "--quiet");
        assertThat(ran.exitCode()).as(ran.err()).isZero();
        assertThat(ran.err()).isEmpty();
        float[] found = floats(out);
        float[] xs = floats(x);
        assertThat(found).hasSize(100);
        for (int i = 0; i < 100; i++) {
            assertThat(found[i]).isEqualTo(i < 90 ? xs[i] : 0);
        }
    }

    /** 32 warps; of the last one 8 lanes have an element. Two loads and a store of 1000 floats: 125 sectors each. */
    @Test
    void countsForPeopleAndPrograms() {
        JsonNode json = JsonMapper.shared().readTree(saxpy("--json").out());
        assertThat(json.path("global_load_sectors").asInt()).isEqualTo(250);
        assertThat(json.path("ideal_global_load_sectors").asInt()).isEqualTo(250);
        assertThat(json.path("global_store_sectors").asInt()).isEqualTo(125);
        assertThat(json.path("global_bytes_read").asInt()).isEqualTo(8000);
        assertThat(json.path("global_bytes_written").asInt()).isEqualTo(4000);
        assertThat(json.path("mma").asInt()).isZero();
        assertThat(json.path("by_opcode").path("fma.rn.f32").asInt()).isEqualTo(32);
        long instructions = json.path("by_opcode")
                .valueStream()
                .mapToLong(JsonNode::longValue)
                .sum();
        assertThat(json.path("warp_instructions").asLong()).isEqualTo(instructions);
        assertThat(json.path("lines").size()).isGreaterThan(10);
        Ran text = saxpy("--counters");
        assertThat(text.out())
                .containsPattern("global load sectors +250\n")
                .containsPattern("fma\\.rn\\.f32 +32\n")
                .doesNotContain("moved"); // nothing is wasted
        assertThat(text.err()).hasLineCount(1);
    }

    @Test
    void saysWhereBuffersLieWhenAsked() {
        assertThat(saxpy("--verbose").err())
                .contains("in:" + x + " is 4000 bytes at 0x")
                .contains("inout:" + y);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "--grid|0|'0': X is 0, but must be 1 to 2147483647",
                "--grid|1,70000|Y is 70000, but must be 1 to 65535",
                "--grid|a|'a' is not X, X,Y or X,Y,Z",
                "--grid|1,2,3,4|is not X, X,Y or X,Y,Z",
                "--block|-1|X is -1, but must be 1 to 1024",
                "--block|32,64|is 2048 threads, but a block has 1024 at most",
                "--shared|-8|--shared is -8, but must be 0 to 232448 bytes",
                "--schedule|fair|'fair' is no schedule; write round-robin, greedy or reversed",
                "--arg|7|'7' is no argument of a kernel; write in:FILE",
                "--arg|i16:7|'i16:7' is no argument of a kernel",
                "--arg|i32:4294967296|needs a whole number of -2147483648 to 4294967295",
                "--arg|u64:-1|needs a whole number of 0 to 2^64 - 1",
                "--arg|f32:x|needs a number such as 0.5",
                "--arg|out:y.bin|'out:y.bin' does not say how large the file is; write out:FILE:BYTES",
                "--arg|out:y.bin:0|needs a whole number of 1 to 1099511627776 bytes",
                "--arg|out:y.bin:-5|needs a whole number of 1 to",
            })
    void refusesWhatNoLaunchHas(String option, String value, String sentence) {
        List<String> arguments = new ArrayList<>(List.of("emulate", SAXPY, "--kernel", "saxpy"));
        Stream.of("--grid", "--block")
                .filter(other -> !other.equals(option))
                .forEach(other -> arguments.addAll(List.of(other, "1")));
        arguments.addAll(List.of(option, value));
        Ran ran = Ran.verb(arguments.toArray(String[]::new));
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err()).startsWith("error: ").contains(sentence).hasLineCount(2);
    }

    @Test
    void holdsTheArgumentsAgainstTheKernel() {
        assertFails(
                "kernel saxpy takes 4 arguments, not 1: u32, f32, u64, u64; give an --arg for each", "--arg", "i32:1");
        assertFails(
                "argument 3 of kernel saxpy has 8 bytes (u64), but i32:5 has 4; buffers and u64 have 8",
                "--arg",
                "i32:1",
                "--arg",
                "f32:1",
                "--arg",
                "i32:5",
                "--arg",
                "u64:0");
        assertFails(
                "no-such.bin does not exist",
                "--arg",
                "i32:1",
                "--arg",
                "f32:1",
                "--arg",
                "in:no-such.bin",
                "--arg",
                "u64:0");
        assertFails("is no file", "--arg", "i32:1", "--arg", "f32:1", "--arg", "in:" + folder, "--arg", "u64:0");
    }

    private static void assertFails(String sentence, String... arguments) {
        List<String> all =
                new ArrayList<>(List.of("emulate", SAXPY, "--kernel", "saxpy", "--grid", "1", "--block", "32"));
        all.addAll(List.of(arguments));
        Ran ran = Ran.verb(all.toArray(String[]::new));
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err()).startsWith("error: ").contains(sentence).hasLineCount(1);
    }

    @Test
    void anEmptyFileIsNoBuffer() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        assertFails(empty + " is empty", "--arg", "i32:1", "--arg", "f32:1", "--arg", "in:" + empty, "--arg", "u64:0");
    }

    @Test
    void saysWhatIsWrongWithTheText() throws IOException {
        assertThat(module("no-such", null).err())
                .isEqualTo("error: " + folder.resolve("no-such") + " does not exist; check the path\n");
        assertThat(module("prose.ptx", "Once upon a time").err())
                .startsWith("error: " + folder.resolve("prose.ptx"))
                .hasLineCount(1);
        Files.write(folder.resolve("binary.ptx"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        assertThat(module("binary.ptx", null).err())
                .contains("is no PTX: it is not text")
                .hasLineCount(1);
        assertThat(module("empty.ptx", HEAD).err()).contains("has no kernel k").hasLineCount(1);
        assertThat(module("unknown.ptx", HEAD + ".visible .entry k()\n{\n\tfrobnicate.b32 %r1;\n\tret;\n}\n")
                        .err())
                .contains("unknown.ptx", "frobnicate.b32")
                .contains("6")
                .hasLineCount(1);
        for (String text : new String[] {"prose.ptx", "binary.ptx", "empty.ptx", "unknown.ptx"}) {
            assertThat(module(text, null).exitCode()).isEqualTo(1);
        }
    }

    private Ran module(String name, @Nullable String text) throws IOException {
        Path file = folder.resolve(name);
        if (text != null) {
            Files.writeString(file, text);
        }
        return Ran.verb("emulate", file.toString(), "--kernel", "k", "--grid", "1", "--block", "32");
    }

    /** One element too many is read; neither file changes. */
    @Test
    void aKernelThatFailsWritesNothing() throws IOException {
        byte[] before = Files.readAllBytes(y);
        Ran ran = Ran.verb(
                "emulate",
                SAXPY,
                "--kernel",
                "saxpy",
                "--grid",
                "4",
                "--block",
                "256",
                "--arg",
                "i32:1001",
                "--arg",
                "f32:2.5",
                "--arg",
                "in:" + x,
                "--arg",
                "inout:" + y);
        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err())
                .startsWith("error: ")
                .contains("saxpy", "ld.global")
                .hasLineCount(1);
        assertThat(Files.readAllBytes(y)).isEqualTo(before);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).hasSize(2);
        }
    }
}
