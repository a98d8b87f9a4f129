package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.emulator.ParsedModule.Function;
import dev.obr.kernels.gpu.ComputeCapability;
import java.util.ArrayList;
import java.util.List;

/** The kernels of one PTX text, ready to be launched by an {@link Emulator}. */
public final class PtxModule {
    private final String name;
    private final String version;
    private final ComputeCapability target;
    private final List<PtxKernel> kernels;

    private PtxModule(String name, String version, ComputeCapability target, List<PtxKernel> kernels) {
        this.name = name;
        this.version = version;
        this.target = target;
        this.kernels = List.copyOf(kernels);
    }

    /**
     * Parses and decodes a whole module.
     *
     * @param name what errors call it
     * @throws ObrException with the name, the line and its text for anything that the emulator does not know
     */
    public static PtxModule parse(String name, String text) {
        ParsedModule module = PtxParser.parse(new Source(name, text));
        ModuleVariables variables = new ModuleVariables(module.variables());
        List<PtxKernel> kernels = new ArrayList<>();
        for (Function function : module.functions().values()) {
            if (function.entry()) {
                kernels.add(KernelBuilder.build(module, function, variables));
            }
        }
        return new PtxModule(name, module.version(), module.target(), kernels);
    }

    public String name() {
        return name;
    }

    public List<PtxKernel> kernels() {
        return kernels;
    }

    /**
     * The kernel of a name.
     *
     * @throws ObrException if there is none, naming those that there are
     */
    public PtxKernel kernel(String kernel) {
        return kernels.stream()
                .filter(candidate -> candidate.name().equals(kernel))
                .findFirst()
                .orElseThrow(() -> new ObrException(name + " has no kernel " + kernel + "; it has "
                        + kernels.stream().map(PtxKernel::name).toList()));
    }

    /** Of PTX, as in 7.8. */
    public String version() {
        return version;
    }

    /** The least device that it is compiled for. */
    public ComputeCapability target() {
        return target;
    }
}
