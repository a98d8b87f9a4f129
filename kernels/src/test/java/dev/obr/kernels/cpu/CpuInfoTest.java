package dev.obr.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuInfoTest {
    @TempDir
    Path root;

    @Test
    void readsLinuxFiles() throws IOException {
        write(
                "proc/cpuinfo",
                "processor\t: 0\nmodel name\t: A Processor @ 3 GHz\nflags\t\t: fpu fma avx2 avx512_vnni sse\n");
        cache(0, 1, "Data", "48K");
        cache(1, 1, "Instruction", "32K");
        cache(2, 2, "Unified", "2048K");
        cache(3, 3, "Unified", "32M");

        CpuInfo info = CpuInfo.read(root, 3, 99);

        assertThat(info.model()).hasValue("A Processor @ 3 GHz");
        assertThat(info.cores()).isEqualTo(3);
        assertThat(info.memoryBytes()).isEqualTo(99);
        assertThat(info.l1Bytes()).hasValue(48 << 10);
        assertThat(info.l2Bytes()).hasValue(2 << 20);
        assertThat(info.l3Bytes()).hasValue(32 << 20);
        assertThat(info.instructionSets()).containsExactly("fma", "avx2", "avx512_vnni");
    }

    @Test
    void leavesOutWhatTheSystemDoesNotSay() {
        CpuInfo info = CpuInfo.read(root, 1, 5);
        assertThat(info.model()).isEmpty();
        assertThat(info.l3Bytes()).isEmpty();
        assertThat(info.instructionSets()).isEmpty();
    }

    @Test
    void readsThisMachine() {
        assertThat(CpuInfo.read().cores()).isPositive();
        assertThat(CpuInfo.read().memoryBytes()).isPositive();
    }

    private void cache(int index, int level, String type, String size) throws IOException {
        String folder = "sys/devices/system/cpu/cpu0/cache/index" + index + "/";
        write(folder + "level", level + "\n");
        write(folder + "type", type + "\n");
        write(folder + "size", size + "\n");
    }

    private void write(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
