package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Variable.Fixup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The .global and .const variables of a module, in a region of their own that lives as long as the module. */
final class ModuleVariables {
    private static final int ALIGNMENT = 256;

    private final Map<Variable, Long> addresses = new IdentityHashMap<>();
    private final Region region;

    ModuleVariables(List<Variable> variables) {
        long at = AddressWindows.MODULE;
        for (Variable variable : variables) {
            long align = Math.max(variable.align(), 16);
            at = (at + align - 1) & -align;
            addresses.put(variable, at);
            at += variable.bytes();
        }
        MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, at - AddressWindows.MODULE), ALIGNMENT);
        region = new Region(AddressWindows.MODULE, memory, true);
        for (Variable variable : variables) {
            byte[] initial = variable.initial();
            long offset = address(variable) - AddressWindows.MODULE;
            if (initial != null) {
                MemorySegment.copy(initial, 0, memory, ValueLayout.JAVA_BYTE, offset, initial.length);
            }
            for (Fixup fixup : variable.fixups()) {
                memory.set(
                        ValueLayout.JAVA_LONG_UNALIGNED, offset + fixup.at(), address(fixup.target()) + fixup.offset());
            }
        }
    }

    long address(Variable variable) {
        Long address = addresses.get(variable);
        if (address == null) {
            throw new DecodeFault(variable.name() + " has no address in global memory");
        }
        return address;
    }

    Region region() {
        return region;
    }
}
